//! A connection to one of the addresses that a host stands for, each of which was looked at.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use crate::{Resolve, is_reachable};

/// Where an outlet leads.
#[derive(Debug, Clone)]
pub enum Reach {
    /// To public addresses, and into these networks.
    Public(Vec<IpNet>),
    /// Anywhere: for addresses that the operator has named.
    Anywhere,
}

/// An open connection, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why there is no connection. The texts may be shown to whoever named the address: they say nothing of what is inside.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name is not known.
    #[error("the name {host} cannot be looked up: {cause}")]
    Lookup {
        /// The name.
        host: String,
        /// What the resolver said.
        cause: io::Error,
    },
    /// It does not say which address: names may mean something else inside than outside.
    #[error("{host} stands for an address in a private or reserved network")]
    Private {
        /// The host.
        host: String,
    },
    /// The name is known, and has no address.
    #[error("{host} stands for no address")]
    NoAddress {
        /// The host.
        host: String,
    },
    /// Nobody listens there.
    #[error("no connection to {address}: {cause}")]
    Connect {
        /// The last address that was tried.
        address: SocketAddr,
        /// What the system said.
        cause: io::Error,
    },
    /// No certificate can be for this host.
    #[error("{host} is not a name that a certificate can be for")]
    Name {
        /// The host.
        host: String,
    },
    /// The certificate is not good, or the two sides have nothing in common.
    #[error("no TLS with {host}: {cause}")]
    Tls {
        /// The host.
        host: String,
        /// What TLS said.
        cause: io::Error,
    },
}

/// Opens connections. Cheap to clone.
#[derive(Clone)]
pub struct Outlet {
    reach: Reach,
    resolver: Arc<dyn Resolve>,
    tls: TlsConnector,
}

impl Outlet {
    /// An outlet that looks names up with `resolver`, and speaks TLS as `tls` does.
    pub fn new(reach: Reach, resolver: Arc<dyn Resolve>, tls: TlsConnector) -> Self {
        Self { reach, resolver, tls }
    }

    /// A connection to the host of `url`, with TLS unless its scheme is `http`. The caller decides which schemes and ports
    /// are good, and how long to wait.
    pub async fn connect(&self, url: &Url) -> Result<Box<dyn Stream>, ConnectError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let stream = self.open(url, &host).await?;
        if url.scheme() == "http" {
            return Ok(Box::new(stream));
        }
        // An IPv6 address stands in brackets in a URL, and without them in a certificate.
        let Ok(name) = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()) else {
            return Err(ConnectError::Name { host });
        };
        match self.tls.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(cause) => Err(ConnectError::Tls { host, cause }),
        }
    }

    async fn open(&self, url: &Url, host: &str) -> Result<TcpStream, ConnectError> {
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![IpAddr::V4(address)],
            Some(Host::Ipv6(address)) => vec![IpAddr::V6(address)],
            Some(Host::Domain(name)) => {
                let found = self.resolver.resolve(name).await;
                found.map_err(|cause| ConnectError::Lookup { host: name.to_owned(), cause })?
            }
            None => Vec::new(),
        };
        // One bad address spoils the name: whoever mixes them means no good.
        if let Reach::Public(allowed) = &self.reach
            && !addresses.iter().all(|address| is_reachable(*address, allowed))
        {
            return Err(ConnectError::Private { host: host.to_owned() });
        }
        let mut failure = ConnectError::NoAddress { host: host.to_owned() };
        for address in addresses {
            let address = SocketAddr::new(address, port);
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(cause) => failure = ConnectError::Connect { address, cause },
            }
        }
        Err(failure)
    }
}
