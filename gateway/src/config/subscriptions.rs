//! Streams: to clients, and from subgraphs.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// The section `[gateway.subscriptions]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubscriptionsConfig {
    /// How many WebSocket connections are open at once; further ones are refused.
    pub socket_limit: usize,
    /// How many operations one connection may have under way.
    pub operations_per_connection: usize,
    /// How many streams are open at once over all transports; further ones are refused.
    pub stream_limit: usize,
    /// How many event streams in single connection mode are reserved or open at once.
    pub reservation_limit: usize,
    /// How many events may wait for a client. A client that is further behind is told so, and its stream ends.
    pub buffered_events: usize,
    /// How large a message over WebSocket may be.
    pub message_limit: ByteSize,
    /// How long a client may take to begin: with `connection_init`, or by opening the stream that it reserved.
    #[serde(with = "humantime_serde")]
    pub connection_init_timeout: Duration,
    /// How long a connection is silent before something is sent to keep it alive.
    #[serde(with = "humantime_serde")]
    pub keep_alive: Duration,
    /// How long a client may take to read what is sent before its connection is closed.
    #[serde(with = "humantime_serde")]
    pub slow_client_timeout: Duration,
    /// Streams from subgraphs.
    pub upstream: UpstreamConfig,
}

impl Default for SubscriptionsConfig {
    fn default() -> Self {
        Self {
            socket_limit: 10_000,
            operations_per_connection: 100,
            stream_limit: 100_000,
            reservation_limit: 10_000,
            buffered_events: 256,
            message_limit: ByteSize::mb(1),
            connection_init_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(12),
            slow_client_timeout: Duration::from_secs(10),
            upstream: UpstreamConfig::default(),
        }
    }
}

/// The section `[gateway.subscriptions.upstream]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpstreamConfig {
    /// How subgraphs send events, unless said otherwise for one.
    pub protocol: StreamProtocol,
    /// How many streams one socket carries before another is opened.
    pub streams_per_socket: usize,
    /// How long a socket without streams is kept.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// How long a socket is silent before it is asked whether it still lives.
    #[serde(with = "humantime_serde")]
    pub keep_alive: Duration,
    /// How often a stream whose connection broke is opened again where its last event had a cursor.
    pub resume_attempts: u32,
    /// What differs for subgraphs by name.
    pub subgraphs: BTreeMap<String, SubgraphStreams>,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            protocol: StreamProtocol::Websocket,
            streams_per_socket: 1000,
            idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            resume_attempts: 5,
            subgraphs: BTreeMap::new(),
        }
    }
}

/// How one subgraph sends events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SubgraphStreams {
    /// How; as for all when absent.
    pub protocol: Option<StreamProtocol>,
    /// Where, when elsewhere than queries go: a whole address, or a path such as `/subscriptions`.
    pub url: String,
}

/// How a subgraph sends events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamProtocol {
    /// `graphql-transport-ws`: one socket for many streams.
    Websocket,
    /// Server-sent events, a request for each stream (GraphQL over SSE, distinct connections mode).
    Sse,
}
