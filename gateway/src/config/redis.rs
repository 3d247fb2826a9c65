//! A Redis that several processes share.

use std::fmt;
use std::time::Duration;

use redis::IntoConnectionInfo;
use serde::{Deserialize, Serialize, Serializer};

/// The section `[gateway.redis]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedisConfig {
    /// Where it is, such as `redis://:password@host:6379/0`; empty for none.
    pub url: RedisUrl,
    /// What keys begin with.
    pub prefix: String,
    /// How long one call may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// What happens to limits and budgets while it cannot be reached.
    pub when_unreachable: WhenUnreachable,
}

/// What happens to limits and budgets while Redis cannot be reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenUnreachable {
    /// Each process counts for itself.
    #[default]
    Local,
    /// Nothing is counted.
    Allow,
    /// Requests are refused.
    Refuse,
}

/// The address of a Redis. It may hold a password, so it does not print.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RedisUrl(String);

/// An address that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is no address of a Redis: write redis://HOST:PORT/DATABASE or redis+unix:///PATH ({0})")]
pub struct InvalidRedisUrl(String);

impl RedisUrl {
    /// The address itself, for the call that needs it. Empty for none.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = InvalidRedisUrl;

    fn try_from(url: String) -> Result<Self, Self::Error> {
        if !url.is_empty() {
            url.as_str().into_connection_info().map_err(|error| InvalidRedisUrl(error.to_string()))?;
        }
        Ok(Self(url))
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "[secret]" })
    }
}

/// Written out, an address is only told to be there.
impl Serialize for RedisUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.0.is_empty() { "" } else { "[secret]" })
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            url: RedisUrl::default(),
            prefix: "pulse".to_owned(),
            timeout: Duration::from_millis(100),
            when_unreachable: WhenUnreachable::Local,
        }
    }
}
