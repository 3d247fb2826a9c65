//! The server: connections with limits, over TLS where there is a certificate, and a stop that lets requests under way
//! finish.

mod connection;
mod handover;
mod line;
mod open_files;
mod slots;
mod streaming;

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::request::Parts;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::client_address::client_address;
use super::drain::Drain;
use crate::config::{ClientsConfig, GatewayConfig, ServerTlsConfig};
use crate::tls::{InvalidTls, Watched, server_config};

use connection::Server;
pub(crate) use handover::LongLived;
use slots::{Admission, Slots};

/// How many requests one HTTP/2 connection may have under way.
const STREAMS_PER_CONNECTION: u32 = 200;

/// How large a request's head may be.
const HEAD_LIMIT: u32 = 64 * 1024;

/// How much of an answer waits in memory for a slow reader, for each request of an HTTP/2 connection.
const SEND_BUFFER: usize = 64 * 1024;

/// How many requests of an HTTP/2 connection may have been taken back before they were looked at. A client that opens
/// and resets streams as fast as it can is cut off.
const RESETS_PENDING: usize = 20;

/// How many of its requests may have been wrong.
const RESETS_OF_OURS: usize = 128;

/// Who is at the other end of a request's connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(IpAddr);

impl PeerAddress {
    /// The address itself.
    pub(crate) const fn ip(self) -> IpAddr {
        self.0
    }

    pub(crate) const fn new(address: IpAddr) -> Self {
        Self(address)
    }

    /// Where a request comes from, when that is known.
    pub(crate) fn of(parts: &Parts) -> Option<IpAddr> {
        parts.extensions.get::<Self>().map(|peer| peer.0)
    }
}

/// Where a request to a route beside the API comes from: the other end of its connection, or whom a trusted proxy names. `None` where
/// it did not come by [`super::serve`].
pub fn client_of<B>(config: &ClientsConfig, request: &http::Request<B>) -> Option<IpAddr> {
    let PeerAddress(peer) = *request.extensions().get()?;
    Some(client_address(config, peer, request.headers()))
}

/// What bounds the server's connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// How long a client may take to send a request's head, and how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How many connections are open at once. Idle ones make room for further ones, which else wait to be accepted.
    pub connection_limit: usize,
    /// How many of them may come from one address; zero for no limit. Further ones are closed.
    pub connections_per_address: usize,
    /// How long requests under way may still take after the signal to stop.
    pub drain_timeout: Duration,
    /// How clients reach the server over TLS.
    pub tls: ServerTlsConfig,
}

impl From<&GatewayConfig> for ServerConfig {
    fn from(config: &GatewayConfig) -> Self {
        let &GatewayConfig {
            header_timeout,
            connection_limit,
            connections_per_address,
            drain_timeout,
            ref tls,
            ..
        } = config;
        Self { header_timeout, connection_limit, connections_per_address, drain_timeout, tls: tls.clone() }
    }
}

/// Serves `router` until `shutdown` is done, then lets requests under way finish for as long as the configuration says.
/// Fails at once when TLS cannot be used as configured.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: ServerConfig,
    shutdown: impl Future<Output = ()>,
) -> Result<(), InvalidTls> {
    let tls = config.tls.clone();
    let files = [tls.certificate_file.clone(), tls.key_file.clone(), tls.client_ca_file.clone()];
    let tls = Watched::try_new(files, move || Ok(server_config(&tls)?.map(Arc::new)))?;
    let slots = Slots::new(open_files::fitting(config.connection_limit), config.connections_per_address);
    let drain = Drain::default();
    let server = Arc::new(Server {
        router,
        builder: builder(&config),
        tls,
        patience: config.header_timeout,
        drain: drain.clone(),
    });
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let (stream, address) = accept(&listener, &slots).await;
            (stream, slots.admit(address).await)
        };
        let (stream, admission) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        if let Admission::Admitted(slot) = admission {
            drain.spawn(connection::run(Arc::clone(&server), stream, slot));
        }
    }
    drop(listener);
    if timeout(config.drain_timeout, drain.drain()).await.is_err() {
        tracing::warn!(after = ?config.drain_timeout, "requests were still under way when the gateway stopped");
    }
    Ok(())
}

fn builder(config: &ServerConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(HEAD_LIMIT as usize);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .max_header_list_size(HEAD_LIMIT)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESETS_PENDING)
        .max_local_error_reset_streams(RESETS_OF_OURS)
        .keep_alive_interval(config.header_timeout)
        .keep_alive_timeout(config.header_timeout);
    builder
}

/// The next connection. Running out of file descriptors passes, sooner when idle connections go; until then the loop must
/// not spin.
async fn accept(listener: &TcpListener, slots: &Slots) -> (TcpStream, IpAddr) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Answers are written whole: waiting for more to send would only delay them.
                let _best_effort = stream.set_nodelay(true);
                return (stream, address.ip());
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                slots.make_room();
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
