//! What is asked again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The section `[gateway.remote.retries]`. Only what is safe to repeat is: queries, and whatever provably was never sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetriesConfig {
    /// How often a call is sent at most, the first time counted in; one for never again.
    pub attempts: u32,
    /// How long to wait before the second attempt at most; twice as long before each further one. The wait is drawn
    /// at random between nothing and that.
    #[serde(with = "humantime_serde")]
    pub backoff: Duration,
    /// How long to wait at most, unless the subgraph says in `Retry-After` for how long.
    #[serde(with = "humantime_serde")]
    pub max_backoff: Duration,
    /// With which statuses a subgraph says that it may be asked again.
    pub statuses: Vec<u16>,
    /// How many repeats all calls to a subgraph earn, in a hundred calls.
    pub budget_percent: u32,
    /// How many repeats may be saved up. So many are there at the start.
    pub budget_size: u32,
}

impl Default for RetriesConfig {
    fn default() -> Self {
        Self {
            attempts: 3,
            backoff: Duration::from_millis(25),
            max_backoff: Duration::from_secs(1),
            statuses: vec![429, 502, 503, 504],
            budget_percent: 20,
            budget_size: 20,
        }
    }
}
