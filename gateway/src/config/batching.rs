//! Several operations in one request.

use serde::{Deserialize, Serialize};

/// The section `[gateway.batching]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchingConfig {
    /// How many operations one request may have; 0 for no batches at all.
    pub max_operations: usize,
    /// How many operations of a batch run at once.
    pub concurrency: usize,
}

impl Default for BatchingConfig {
    fn default() -> Self {
        Self { max_operations: 10, concurrency: 5 }
    }
}
