//! Answers that are kept: whole ones, and what subgraphs answered.
//!
//! What may be kept, for how long and for whom, the supergraph says with `@cacheControl`. A kept answer names all that it
//! depends on in its key, which begins with those who share it; it ends with its time, with a change of something that it
//! was made of where subgraphs tell of that, and for those who have changed something with their own change.

mod digest;
mod entry;
mod key;
mod redis;
mod reuse;
mod store;
mod writes;

use std::sync::Arc;

use pulse_types::{Caller, Clock};

use crate::changes::Changes;
use crate::config::{GatewayConfig, ResponseCacheConfig};
use crate::engine::ExecutionResult;
use crate::flights::{self, Flights};

pub(crate) use digest::Digest;
pub(crate) use entry::{Entry, Kept};
pub(crate) use key::Key;
pub(crate) use reuse::{Asking, Content, Kind, Reuse};

use entry::Begun;
use store::Store;
use writes::Writes;

/// Answers that are kept, and what is known of who may use them.
pub(crate) struct ResponseCache {
    store: Store,
    writes: Arc<Writes>,
    /// Whole answers that are being made for several callers.
    pub(crate) loads: Arc<Loads>,
    changes: Option<Arc<Changes>>,
    clock: Clock,
    config: ResponseCacheConfig,
}

/// Answers under way, by what they will be kept under. Whoever waits gets what was kept, if anything was.
pub(crate) type Loads = Flights<Key, (ExecutionResult, Option<Arc<Entry>>)>;

impl flights::Key for Key {
    fn hash(&self) -> u64 {
        self.short()
    }

    fn is_like(&self, other: &Self) -> bool {
        self == other
    }
}

impl ResponseCache {
    /// A cache as it is configured; `None` where nothing is kept.
    pub(crate) fn new(
        config: &GatewayConfig,
        changes: Option<&Arc<Changes>>,
        clock: &Clock,
    ) -> Option<Arc<Self>> {
        let settings = &config.response_cache;
        settings.enabled.then(|| {
            Arc::new(Self {
                store: Store::new(settings, &config.redis),
                writes: Arc::new(Writes::new(settings.max_ttl)),
                loads: Arc::default(),
                changes: changes.cloned(),
                clock: clock.clone(),
                config: settings.clone(),
            })
        })
    }

    /// An empty one for another configuration, that knows of the same changes of callers: of those that are under way this
    /// one is told.
    pub(crate) fn changed(&self, config: &GatewayConfig) -> Option<Arc<Self>> {
        let settings = &config.response_cache;
        settings.enabled.then(|| {
            Arc::new(Self {
                store: Store::new(settings, &config.redis),
                writes: Arc::clone(&self.writes),
                loads: Arc::clone(&self.loads),
                changes: self.changes.clone(),
                clock: self.clock.clone(),
                config: settings.clone(),
            })
        })
    }

    /// How many things an answer may be made of that are told apart, where changes are told of.
    pub(crate) fn tag_limit(&self) -> Option<usize> {
        self.changes.is_some().then_some(self.config.max_tags)
    }

    /// For the time of a mutation: at its end, however it ends, the caller gets nothing older of what it may have changed.
    pub(crate) fn writing<'c>(&'c self, caller: &'c Caller, subgraphs: Vec<Arc<str>>) -> Writing<'c> {
        Writing { cache: self, caller, subgraphs }
    }

    /// Whether clients may say with `Cache-Control` that they want nothing kept, or nothing out of what is kept.
    pub(crate) const fn heeds_clients(&self) -> bool {
        self.config.client_directives
    }

    /// Notes the moment before something is read.
    fn begin(&self) -> Begun {
        let changes = self.changes.as_ref();
        Begun {
            at: self.clock.now(),
            writes: Some(self.writes.count()),
            // The log's place first: what is heard in between is then looked at twice.
            log: changes.and_then(|changes| changes.log_position()),
            heard: changes.map(|changes| changes.position()),
        }
    }
}

/// A change that a caller is making.
pub(crate) struct Writing<'c> {
    cache: &'c ResponseCache,
    caller: &'c Caller,
    subgraphs: Vec<Arc<str>>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.cache.writes.record(self.caller, &self.subgraphs, self.cache.clock.now());
        // What is under way may have missed it.
        drop(self.cache.loads.change());
    }
}
