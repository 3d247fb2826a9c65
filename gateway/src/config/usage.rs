//! What is told of what clients use.

use std::time::Duration;

use pulse_types::Secret;
use serde::{Deserialize, Serialize};

/// The section `[gateway.usage]`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct UsageConfig {
    /// The GraphQL address of the schema registry that is told; empty for none.
    pub registry: String,
    /// What is sent to it as `Authorization`.
    #[serde(serialize_with = "super::secret::fingerprint")]
    pub authorization: Secret,
    /// The environment of this gateway.
    pub environment: String,
    /// Which share of operations is looked at, from 0 to 1.
    pub sampling: f64,
    /// How often the registry is told.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
    /// How long it may take to answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How many operations wait to be looked at, at most.
    pub queue: usize,
    /// How many different operations of different clients are counted between two reports, at most.
    pub operations: usize,
}

impl Eq for UsageConfig {}

impl Default for UsageConfig {
    fn default() -> Self {
        Self {
            registry: String::new(),
            authorization: Secret::new(""),
            environment: "production".to_owned(),
            sampling: 0.1,
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            queue: 1000,
            operations: 5000,
        }
    }
}
