//! Streams from subgraphs elsewhere: over WebSocket, one socket for many callers, or as server-sent events.

mod connection;
mod event_stream;
mod handshake;
mod message;
mod pool;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tokio::sync::mpsc;

use crate::config::{RemoteConfig, StreamProtocol, UpstreamConfig, bytes};
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::remote::InvalidEndpoint;
use crate::remote::client::Connector;

pub(super) use event_stream::read;
use pool::Sockets;

/// An event, or why there are no more.
type Item = Result<SubgraphResponse, SubgraphFault>;

/// How many events of one stream wait for who reads it.
const WAITING: usize = 64;

/// Where one subgraph streams, and how.
pub(super) struct StreamEndpoint {
    pub(super) protocol: StreamProtocol,
    pub(super) uri: Uri,
    pub(super) sockets: Sockets,
}

impl StreamEndpoint {
    /// As the configuration has it for the subgraph `name`, which takes queries at `queries`.
    pub(super) fn try_new(
        (name, queries): (&str, &Uri),
        remote: &RemoteConfig,
        upstream: &UpstreamConfig,
    ) -> Result<Self, InvalidEndpoint> {
        let own = upstream.subgraphs.get(name).cloned().unwrap_or_default();
        let Some(uri) = address(queries, &own.url) else {
            return Err(InvalidEndpoint::Address { name: name.to_owned(), url: own.url });
        };
        let invalid = |cause| InvalidEndpoint::Tls { name: name.to_owned(), cause };
        let connector = Connector::for_sockets(remote).map_err(invalid)?;
        let sockets = Sockets::new(connector, uri.clone(), Bounds::new(remote, upstream));
        Ok(Self { protocol: own.protocol.unwrap_or(upstream.protocol), uri, sockets })
    }

    /// Equal for endpoints whose streams are the same.
    pub(super) fn address(&self) -> String {
        format!("{:?} {}", self.protocol, self.uri)
    }
}

/// What bounds sockets.
#[derive(Debug, Clone)]
struct Bounds {
    connect_timeout: Duration,
    message_limit: usize,
    streams: usize,
    idle: Duration,
    keep_alive: Duration,
}

impl Bounds {
    fn new(remote: &RemoteConfig, upstream: &UpstreamConfig) -> Self {
        Self {
            connect_timeout: remote.connect_timeout,
            message_limit: bytes(remote.response_limit),
            streams: upstream.streams_per_socket.max(1),
            idle: upstream.idle_timeout,
            keep_alive: upstream.keep_alive,
        }
    }
}

/// The address for a subgraph's streams: its own, or the configured one, which may be a path alone.
fn address(queries: &Uri, configured: &str) -> Option<Uri> {
    if configured.is_empty() {
        return Some(queries.clone());
    }
    if configured.starts_with('/') {
        let mut parts = queries.clone().into_parts();
        parts.path_and_query = Some(configured.parse().ok()?);
        return Uri::from_parts(parts).ok();
    }
    // Sockets and requests go over the same connections: the schemes are the same ones by other names.
    let http = configured.strip_prefix("ws").map(|rest| format!("http{rest}"));
    let uri = Uri::from_str(http.as_deref().unwrap_or(configured)).ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.host().is_some_and(|host| !host.is_empty())).then_some(uri)
}

/// A stream's end that both sides know of.
#[derive(Debug, Clone)]
struct Outlet {
    items: mpsc::Sender<SubgraphResponse>,
    ended: Arc<std::sync::Mutex<Option<SubgraphFault>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_whole_or_a_path_or_that_of_queries() {
        let queries: Uri = "https://reviews:4001/graphql".parse().unwrap();
        let address = |configured| address(&queries, configured).map(|uri| uri.to_string());
        assert_eq!(address("").as_deref(), Some("https://reviews:4001/graphql"));
        assert_eq!(address("/subscriptions").as_deref(), Some("https://reviews:4001/subscriptions"));
        assert_eq!(address("wss://live.reviews/ws").as_deref(), Some("https://live.reviews/ws"));
        assert_eq!(address("http://live.reviews/ws").as_deref(), Some("http://live.reviews/ws"));
        assert_eq!(address("live.reviews"), None);
    }
}
