//! Queries that are answered again when something that they read has changed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The section `[gateway.live_queries]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct LiveQueriesConfig {
    /// Whether queries may be `@live`, where changes are told of.
    pub enabled: bool,
    /// How many clients may follow a live query at once; further ones are refused.
    pub limit: usize,
    /// How many one caller may follow at once.
    pub limit_per_caller: usize,
    /// The least time between two answers, unless the client says otherwise.
    #[serde(with = "humantime_serde")]
    pub throttle: Duration,
    /// The least that a client may say.
    #[serde(with = "humantime_serde")]
    pub min_throttle: Duration,
    /// How many rows and lists that an answer was made of are told apart. Of an answer made of more, any change of the same
    /// types of things in the tenant counts.
    pub max_tags: usize,
}

impl Default for LiveQueriesConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            limit: 10_000,
            limit_per_caller: 100,
            throttle: Duration::from_millis(100),
            min_throttle: Duration::from_millis(100),
            max_tags: 10_000,
        }
    }
}
