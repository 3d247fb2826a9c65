//! Operations that clients send by their hash once the gateway has seen their text.

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// The section `[gateway.persisted_queries]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct PersistedQueriesConfig {
    /// Whether clients may register operations by hash.
    pub enabled: bool,
    /// How many bytes of text are kept; those that were not used for the longest time go first.
    pub cache_size: ByteSize,
}

impl Default for PersistedQueriesConfig {
    fn default() -> Self {
        Self { enabled: true, cache_size: ByteSize::mb(20) }
    }
}
