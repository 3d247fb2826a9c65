//! Subgraphs that are reached over HTTP.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// The section `[gateway.remote]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteConfig {
    /// How long one call may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long opening a connection may take.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How large a subgraph's answer may be.
    pub response_limit: ByteSize,
    /// How long an idle connection is kept for the next call.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// How many idle connections are kept for each subgraph.
    pub idle_connections: usize,
    /// Whether calls use HTTP/2 with prior knowledge instead of HTTP/1.1.
    pub http2: bool,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            response_limit: ByteSize::mb(50),
            idle_timeout: Duration::from_mins(1),
            idle_connections: 128,
            http2: false,
        }
    }
}
