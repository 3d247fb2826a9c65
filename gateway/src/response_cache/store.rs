//! Where answers are kept: in this process, and in a Redis that several processes share.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use pulse_types::Caller;

use super::Key;
use super::entry::{Entry, Miss};
use super::redis::Redis;
use crate::changes::Changes;
use crate::config::{RedisConfig, ResponseCacheConfig, bytes};

/// Kept answers.
pub(super) struct Store {
    memory: Cache<Key, Arc<Entry>>,
    /// How large one may be.
    limit: usize,
    redis: Option<Arc<Redis>>,
}

/// Who asks for something from another process, and by what it is checked.
#[derive(Clone, Copy)]
pub(super) struct Level<'a> {
    pub(super) changes: Option<&'a Arc<Changes>>,
    pub(super) caller: &'a Caller,
    pub(super) now: DateTime<Utc>,
}

impl Store {
    pub(super) fn new(config: &ResponseCacheConfig, redis: &RedisConfig) -> Self {
        let weigh = |_: &Key, entry: &Arc<Entry>| u32::try_from(entry.size()).unwrap_or(u32::MAX);
        let memory = Cache::builder()
            .max_capacity(config.memory.as_u64())
            .weigher(weigh)
            // Each entry's own time is told by the gateway's clock; this makes room.
            .time_to_live(config.max_ttl)
            .build();
        let redis = config.redis.then(|| Redis::new(redis)).flatten().map(Arc::new);
        Self { memory, limit: bytes(config.entry_limit), redis }
    }

    /// What is kept under these keys, good or not.
    pub(super) async fn get(&self, keys: &[Key], level: Level<'_>) -> Vec<Result<Arc<Entry>, Miss>> {
        let mut found: Vec<_> = keys.iter().map(|key| self.in_memory(key, level.now)).collect();
        if let Some(redis) = &self.redis {
            let missing: Vec<_> = (0..keys.len()).filter(|at| found[*at].is_err()).collect();
            if !missing.is_empty() {
                let wanted: Vec<_> = missing.iter().map(|at| keys[*at]).collect();
                let loaded = redis.get(&wanted, level).await;
                for (at, entry) in missing.into_iter().zip(loaded) {
                    if let Some(entry) = entry {
                        self.memory.insert(keys[at], Arc::clone(&entry));
                        found[at] = Ok(entry);
                    }
                }
            }
        }
        found
    }

    fn in_memory(&self, key: &Key, now: DateTime<Utc>) -> Result<Arc<Entry>, Miss> {
        let entry = self.memory.get(key).ok_or(Miss::Absent)?;
        if let Some(over) = entry.is_over(now) {
            self.memory.invalidate(key);
            return Err(over);
        }
        Ok(entry)
    }

    /// Keeps an answer, unless it is too large. Whether it is kept.
    pub(super) fn put(&self, key: Key, entry: &Arc<Entry>, now: DateTime<Utc>) -> bool {
        if entry.size() > self.limit {
            return false;
        }
        self.memory.insert(key, Arc::clone(entry));
        if let Some(redis) = &self.redis {
            redis.put(key, entry, now);
        }
        true
    }
}
