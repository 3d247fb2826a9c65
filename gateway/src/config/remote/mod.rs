//! Subgraphs that are reached over HTTP: the settings for all of them, and what differs for one.

mod breaker;
mod headers;
mod retries;
mod subgraph;
mod tls;

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize, Serializer};

pub use breaker::BreakerConfig;
pub use headers::{HeadersConfig, RequestHeaderRule, ResponseHeaderRule, Strategy};
pub use retries::RetriesConfig;
pub use subgraph::SubgraphConfig;
pub use tls::RemoteTlsConfig;

/// The section `[gateway.remote]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteConfig {
    /// How long one call may take, its repeats counted in.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long one attempt of a call may take; zero for as long as the call.
    #[serde(with = "humantime_serde")]
    pub attempt_timeout: Duration,
    /// How long opening a connection may take.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How large a subgraph's answer may be, decompressed.
    #[serde(serialize_with = "exactly")]
    pub response_limit: ByteSize,
    /// How long an idle connection is kept for the next call.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// How many idle connections are kept for each subgraph.
    pub idle_connections: usize,
    /// How many calls may be under way to one subgraph; further ones wait. Zero for no limit.
    pub concurrent_calls: usize,
    /// Whether calls use HTTP/2 with prior knowledge instead of HTTP/1.1. Over TLS both sides agree on one anyway.
    pub http2: bool,
    /// Whether equal queries of equal callers that are under way at the same time share one call.
    pub deduplicate: bool,
    /// In which encodings a subgraph may compress its answers: `gzip`, `deflate`, `br`, `zstd`.
    pub accept_encodings: Vec<String>,
    /// Whether requests to subgraphs are compressed with gzip.
    pub compress_requests: bool,
    /// What is asked again.
    pub retries: RetriesConfig,
    /// When a subgraph that fails is left alone.
    pub breaker: BreakerConfig,
    /// Whom to trust at `https://`, and how to be trusted there.
    pub tls: RemoteTlsConfig,
    /// Which headers go to subgraphs and which come back.
    pub headers: HeadersConfig,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            attempt_timeout: Duration::ZERO,
            connect_timeout: Duration::from_secs(2),
            response_limit: ByteSize::mb(50),
            idle_timeout: Duration::from_mins(1),
            idle_connections: 128,
            concurrent_calls: 0,
            http2: false,
            deduplicate: true,
            accept_encodings: Vec::new(),
            compress_requests: false,
            retries: RetriesConfig::default(),
            breaker: BreakerConfig::default(),
            tls: RemoteTlsConfig::default(),
            headers: HeadersConfig::default(),
        }
    }
}

/// A size as its number of bytes: the words for it are rounded, and one subgraph's settings are laid over these.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn exactly<S: Serializer>(size: &ByteSize, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(size.as_u64())
}
