//! What is measured, and where it is read.

use serde::{Deserialize, Serialize};

/// The section `[gateway.metrics]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// The address of `/metrics`, apart from the API; empty for the API's own.
    pub listen: String,
    /// How many names of operations are told apart; further ones are `other`. 0 for no times by operation.
    pub operations: usize,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { listen: String::new(), operations: 200 }
    }
}
