//! What is counted.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::counter;

use crate::Space;

/// Why something was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Miss {
    /// It was never kept, or so long ago that nobody remembers.
    Absent,
    /// It was kept for as long as anything is.
    Expired,
    /// Something that it was made of has changed.
    Invalidated,
    /// There was no room for it.
    Evicted,
    /// The caller has written something of which this process has not heard yet, or might have.
    BehindOwnWrite,
    /// Changes were missed, so everything was forgotten.
    Gap,
    /// It may be in Redis, which does not answer.
    RedisDown,
    /// Nothing is heard of changes, so nothing is kept.
    NotFollowing,
}

impl Miss {
    /// The word in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Expired => "expired",
            Self::Invalidated => "invalidated",
            Self::Evicted => "evicted",
            Self::BehindOwnWrite => "behind_own_write",
            Self::Gap => "gap",
            Self::RedisDown => "redis_down",
            Self::NotFollowing => "not_following",
        }
    }
}

/// From where an answer came that did not have to be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    Memory,
    Redis,
    /// Somebody else was loading it.
    Joined,
}

/// What a cache has done since it was made.
#[derive(Debug, Default)]
pub struct Statistics {
    memory: AtomicU64,
    redis: AtomicU64,
    joined: AtomicU64,
    misses: [AtomicU64; 8],
    loads: AtomicU64,
    warmed: AtomicU64,
}

impl Statistics {
    /// Answers out of this process's memory.
    pub fn memory_hits(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    /// Answers out of Redis.
    pub fn redis_hits(&self) -> u64 {
        self.redis.load(Ordering::Relaxed)
    }

    /// Answers that somebody else was loading.
    pub fn joined(&self) -> u64 {
        self.joined.load(Ordering::Relaxed)
    }

    /// Answers that were missing in this process's memory for this reason.
    pub fn misses(&self, why: Miss) -> u64 {
        self.misses[why as usize].load(Ordering::Relaxed)
    }

    /// Values that were loaded.
    pub fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// Values that were loaded again before anybody asked.
    pub fn warmed(&self) -> u64 {
        self.warmed.load(Ordering::Relaxed)
    }

    pub(crate) fn hit(&self, space: &Space, level: Level) {
        let (count, word) = match level {
            Level::Memory => (&self.memory, "memory"),
            Level::Redis => (&self.redis, "redis"),
            Level::Joined => (&self.joined, "joined"),
        };
        count.fetch_add(1, Ordering::Relaxed);
        counter!("pulse_cache_hits_total", "level" => word, "space" => space.name()).increment(1);
    }

    pub(crate) fn miss(&self, space: &Space, why: Miss) {
        self.misses[why as usize].fetch_add(1, Ordering::Relaxed);
        counter!("pulse_cache_misses_total", "reason" => why.as_str(), "space" => space.name()).increment(1);
    }

    pub(crate) fn loaded(&self, space: &Space, values: u64) {
        self.loads.fetch_add(values, Ordering::Relaxed);
        counter!("pulse_cache_loads_total", "space" => space.name()).increment(values);
    }

    pub(crate) fn warm(&self, space: &Space) {
        self.warmed.fetch_add(1, Ordering::Relaxed);
        counter!("pulse_cache_warmed_total", "space" => space.name()).increment(1);
    }
}
