//! What a cache is built from.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pulse_types::{Clock, Secret};

use crate::OwnWrites;

/// What a cache is built from.
#[derive(Clone)]
pub struct CacheOptions {
    /// How many bytes its values may take in this process.
    pub max_bytes: u64,
    /// How long a value is kept at most.
    pub ttl: Duration,
    /// How many values that are often asked for are loaded again at the same time, when they have changed; 0 for none.
    pub warmers: usize,
    /// A Redis that several processes share.
    pub redis: Option<RedisOptions>,
    /// Where to ask what callers have written through other processes; `None` where there are none.
    pub own_writes: Option<Arc<dyn OwnWrites>>,
    /// Where the time comes from.
    pub clock: Clock,
}

/// A Redis, and what keys in it begin with.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// How to reach it.
    pub url: Secret,
    /// What keys begin with.
    pub prefix: String,
    /// How long it may take to answer. What takes longer is loaded.
    pub timeout: Duration,
}

impl CacheOptions {
    /// A cache of this process alone: 64 MiB, a minute.
    pub fn new(clock: Clock) -> Self {
        Self {
            max_bytes: 64 << 20,
            ttl: Duration::from_mins(1),
            warmers: 4,
            redis: None,
            own_writes: None,
            clock,
        }
    }
}

impl fmt::Debug for CacheOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CacheOptions")
            .field("max_bytes", &self.max_bytes)
            .field("ttl", &self.ttl)
            .field("redis", &self.redis)
            .finish_non_exhaustive()
    }
}
