//! When a subgraph that fails is left alone.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The section `[gateway.remote.breaker]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct BreakerConfig {
    /// How many calls in a hundred must fail for the subgraph to be left alone; zero for never.
    pub failure_percent: u32,
    /// Over which time calls are counted.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// How many calls must have been counted before their failures say anything.
    pub minimum_calls: u32,
    /// How long the subgraph is left alone.
    #[serde(with = "humantime_serde")]
    pub open: Duration,
    /// How many calls in a row must then succeed, one at a time, before all are sent again.
    pub probes: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failure_percent: 50,
            window: Duration::from_secs(10),
            minimum_calls: 20,
            open: Duration::from_secs(5),
            probes: 1,
        }
    }
}
