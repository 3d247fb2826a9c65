//! Where a process keeps what it has read.

use std::sync::Arc;

use pulse_cache::{Cache, CacheOptions, OwnWrites, RedisOptions};
use pulse_events::WrittenElsewhere;
use pulse_store::Store;
use pulse_types::Secret;

use super::Database;
use crate::settings::Settings;

/// `store` with a cache in front of it, if answers are to be kept. It keeps nothing until it is told of changes.
pub fn over(store: Store, database: &Database, settings: &Settings) -> Store {
    let cache = &settings.cache;
    if !cache.enabled {
        return store;
    }
    let redis = &settings.gateway.redis;
    let shares = cache.shared && !redis.url.expose().is_empty();
    let redis = shares.then(|| RedisOptions {
        url: Secret::new(redis.url.expose().to_owned()),
        prefix: redis.prefix.clone(),
        timeout: redis.timeout,
    });
    // Other processes may write to a server that was named; to one that this process has started, only tools do.
    let own_writes =
        (!database.is_private()).then(|| Arc::new(WrittenElsewhere(store.clone())) as Arc<dyn OwnWrites>);
    let options = CacheOptions {
        max_bytes: cache.memory.as_u64(),
        ttl: cache.ttl,
        warmers: cache.warmers,
        redis,
        own_writes,
        clock: store.clock().clone(),
    };
    store.cached(Cache::new(options))
}
