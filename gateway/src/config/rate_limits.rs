//! How often requests may come.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::KeyExpression;

/// One of `[[gateway.rate_limits]]`: how many requests each of those may send that a key tells apart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimitRule {
    /// Its name in headers and errors.
    pub name: String,
    /// Whose requests are counted together.
    pub key: KeyExpression,
    /// How many requests a window allows.
    pub limit: u64,
    /// The window.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// How many may come at once after a pause; 0 for as many as a window allows.
    #[serde(default)]
    pub burst: u64,
}
