//! The log through Redis: one process publishes what is committed, every other one listens.
//!
//! Entries of the Redis stream have their positions as ids, so a publisher cannot send one twice or out of order, whatever
//! happens between two of them, and a reader sees a gap and reads it from the log. The log stays the truth: a Redis that is
//! lost or empty costs time and never an event.

mod publisher;
mod stream;

use std::fmt;
use std::time::Duration;

use pulse_store::StoreError;
use redis::{Client, RedisError};

pub use publisher::Publisher;
pub(crate) use stream::Stream;

/// A Redis that the processes of one platform share. Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    client: Client,
    prefix: String,
}

/// Why Redis did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// Redis refused, or the connection broke.
    #[error("Redis failed")]
    Redis(#[from] RedisError),
    /// It took too long.
    #[error("Redis did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// Somebody else writes there.
    #[error("the stream holds something that is no change")]
    Malformed,
    /// The database fails too.
    #[error("what is missing in the stream cannot be read from the log")]
    Store(#[from] StoreError),
}

impl Relay {
    /// The Redis at `url`; keys begin with `prefix`. Nothing is connected to yet.
    pub fn try_new(url: &str, prefix: &str) -> Result<Self, RedisError> {
        Ok(Self { client: Client::open(url)?, prefix: prefix.to_owned() })
    }

    /// Whether Redis answers.
    pub async fn ping(&self) -> Result<(), RelayError> {
        stream::ping(self).await
    }

    /// The stream of the log of that name. Both keys are in one slot of a cluster.
    fn stream_key(&self, log: &str) -> String {
        format!("{{{}:log:{log}}}", self.prefix)
    }

    fn lease_key(&self, log: &str) -> String {
        format!("{{{}:log:{log}}}:publisher", self.prefix)
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
