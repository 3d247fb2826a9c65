//! The cache itself: what it is told, and what it knows.

mod load;
mod lookup;

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge, histogram};
use moka::notification::RemovalCause;
use moka::policy::Expiry;
use pulse_types::Change;
use rustc_hash::FxBuildHasher;
use tokio::sync::Semaphore;

pub use lookup::{Answer, Fresh, Loaded, Lookup};

use crate::entry::Entry;
use crate::feed::{Certainty, Ended, Feed, Mark};
use crate::flights::Flights;
use crate::freshness::{Freshness, Rounds};
use crate::hot::Hot;
use crate::key::Place;
use crate::redis::Redis;
use crate::statistics::{Miss, Statistics};
use crate::{CacheOptions, Key};

/// Of how many values it is known why they are no longer there.
const REMEMBERED_ENDS: u64 = 65_536;

/// Answers that are kept for as long as nothing that they were made of has changed. Cheap to clone.
///
/// It has to be told of what changes: [`Cache::begin`], then [`Cache::take`] for each change of the log and [`Cache::gap`]
/// when some were missed. Until then, and after [`Cache::end`], it keeps nothing.
#[derive(Debug, Clone)]
pub struct Cache {
    shared: Arc<Shared>,
}

struct Shared {
    options: CacheOptions,
    memory: moka::sync::Cache<Place, Arc<Entry>>,
    /// Why values are no longer there.
    ends: moka::sync::Cache<u64, Miss>,
    feed: Arc<Mutex<Feed>>,
    /// What the feed has heard, for those who need not know exactly; -1 while nobody tells.
    heard: AtomicI64,
    flights: Arc<Flights>,
    rounds: Rounds,
    hot: Hot,
    warmers: Arc<Semaphore>,
    redis: Option<Redis>,
    statistics: Statistics,
}

impl Cache {
    /// A cache that keeps nothing until it is told of changes.
    pub fn new(options: CacheOptions) -> Self {
        let feed = Arc::<Mutex<Feed>>::default();
        let ends = moka::sync::Cache::new(REMEMBERED_ENDS);
        let memory = moka::sync::Cache::builder()
            .max_capacity(options.max_bytes)
            .weigher(|_: &Place, entry: &Arc<Entry>| entry.size)
            .expire_after(ByEntry)
            .eviction_listener({
                let (feed, ends) = (Arc::clone(&feed), ends.clone());
                move |place, entry: Arc<Entry>, cause| left(&feed, &ends, &place, &entry, cause)
            })
            .build();
        let redis = options.redis.clone().and_then(Redis::new);
        let warmers = Arc::new(Semaphore::new(options.warmers));
        let shared = Shared {
            options,
            memory,
            ends,
            feed,
            heard: AtomicI64::new(-1),
            flights: Arc::default(),
            rounds: Rounds::default(),
            hot: Hot::default(),
            warmers,
            redis,
            statistics: Statistics::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Begins to keep what is read: from here on it is told of everything behind `position` of the log called `log`.
    pub fn begin(&self, log: &str, position: i64) {
        if let Some(redis) = &self.shared.redis {
            redis.begin(log);
        }
        let mut feed = self.shared.lock();
        let ended = feed.begin(position);
        let heard = feed.heard();
        drop(feed);
        self.shared.heard.store(heard.unwrap_or(-1), Ordering::Release);
        self.ended(ended, Miss::Gap);
    }

    /// Takes in the next change of the log.
    pub fn take(&self, change: &Arc<Change>) {
        let mut feed = self.shared.lock();
        let (ended, why) = feed.take(change);
        let heard = feed.heard();
        drop(feed);
        self.shared.heard.store(heard.unwrap_or(-1), Ordering::Release);
        if !ended.is_empty() {
            let age = self.shared.options.clock.now() - change.at;
            histogram!("pulse_cache_staleness_seconds").record(age.as_seconds_f64().max(0.0));
        }
        self.ended(ended, why);
    }

    /// Takes in changes that this process has committed, in the moment of the commit: the log tells of them later, and what
    /// is answered until then must not be older. Their positions do not count.
    pub fn invalidate(&self, changes: impl IntoIterator<Item = Change>, certainty: Certainty) {
        let now = self.shared.options.clock.now();
        let ended = self.shared.lock().take_own(changes, certainty, now);
        self.ended(ended, Miss::Invalidated);
    }

    /// Changes were missed: everything is forgotten.
    pub fn gap(&self) {
        counter!("pulse_cache_gaps_total").increment(1);
        let ended = self.shared.lock().gap();
        self.ended(ended, Miss::Gap);
    }

    /// Nothing is told of changes any more: everything is forgotten, and nothing kept from here on.
    pub fn end(&self) {
        let ended = self.shared.lock().end();
        self.shared.heard.store(-1, Ordering::Release);
        self.ended(ended, Miss::NotFollowing);
    }

    /// The moment now. Whoever takes it before they begin to read, and hands it in with what was read, has it checked
    /// against all that came meanwhile.
    pub fn mark(&self) -> Mark {
        self.shared.lock().mark()
    }

    /// Up to which position of the log changes were heard; `None` while nobody tells.
    pub fn heard(&self) -> Option<i64> {
        Some(self.shared.heard.load(Ordering::Acquire)).filter(|heard| *heard >= 0)
    }

    /// Whether what is kept is as new as it has to be.
    pub async fn is_fresh(&self, freshness: Freshness<'_>) -> bool {
        match (freshness, &self.shared.options.own_writes) {
            (Freshness::Behind, _) => false,
            (Freshness::AsHeard, _) | (_, None) => true,
            (Freshness::OwnWrites(caller), Some(own_writes)) => {
                self.shared.rounds.are_heard(&**own_writes, caller, || self.heard()).await
            }
        }
    }

    /// What it has done so far.
    pub fn statistics(&self) -> &Statistics {
        &self.shared.statistics
    }

    /// How many values it keeps in this process, and how many bytes they take.
    pub fn size(&self) -> (usize, u64) {
        self.shared.memory.run_pending_tasks();
        (self.shared.lock().len(), self.shared.memory.weighted_size())
    }

    /// Lets go of what is no longer kept, and has what is often asked for loaded again.
    fn ended(&self, ended: Ended, why: Miss) {
        let count = ended.len();
        let mut hot = Vec::new();
        for (place, entry) in ended {
            let number = number(&place);
            self.shared.ends.insert(number, why);
            self.shared.memory.invalidate(&place);
            if entry.reload.is_some() && why == Miss::Invalidated && self.shared.hot.is_hot(number) {
                hot.push((place, entry));
            }
        }
        if count > 0 {
            counter!("pulse_cache_ended_total", "reason" => why.as_str()).increment(count as u64);
            self.shared.measure();
        }
        for (place, entry) in hot {
            self.warm(&place, &entry);
        }
    }

    /// Has a value loaded again, if there is somebody free to do it.
    fn warm(&self, place: &Place, entry: &Entry) {
        let Some(reload) = &entry.reload else { return };
        let permit = Arc::clone(&self.shared.warmers).try_acquire_owned();
        let (Ok(permit), Ok(runtime)) = (permit, tokio::runtime::Handle::try_current()) else { return };
        let (loaded, cache, space) = (reload(Key::clone(&place.key)), self.clone(), place.space);
        runtime.spawn(async move {
            loaded.await;
            cache.shared.statistics.warm(&space);
            drop(permit);
        });
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Feed> {
        lock(&self.feed)
    }

    fn measure(&self) {
        gauge!("pulse_cache_bytes").set(as_f64(self.memory.weighted_size()));
        gauge!("pulse_cache_entries").set(as_f64(self.memory.entry_count()));
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("options", &self.options).finish_non_exhaustive()
    }
}

/// Each entry says by itself how long it is kept; its time is told by the cache's clock, and this only makes room.
struct ByEntry;

impl Expiry<Place, Arc<Entry>> for ByEntry {
    fn expire_after_create(&self, _: &Place, entry: &Arc<Entry>, _: Instant) -> Option<Duration> {
        Some(entry.ttl)
    }

    fn expire_after_update(
        &self,
        _: &Place,
        entry: &Arc<Entry>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(entry.ttl)
    }
}

/// An entry has left the memory. Called without the feed's lock, which it takes.
fn left(
    feed: &Mutex<Feed>,
    ends: &moka::sync::Cache<u64, Miss>,
    place: &Place,
    entry: &Entry,
    cause: RemovalCause,
) {
    // Whoever ended it before has let go of it, too.
    if !entry.end() {
        return;
    }
    lock(feed).leave(entry.id);
    match cause {
        RemovalCause::Size => ends.insert(number(place), Miss::Evicted),
        RemovalCause::Expired => ends.insert(number(place), Miss::Expired),
        RemovalCause::Explicit | RemovalCause::Replaced => {}
    }
}

fn lock(feed: &Mutex<Feed>) -> MutexGuard<'_, Feed> {
    feed.lock().unwrap_or_else(PoisonError::into_inner)
}

fn number(place: &Place) -> u64 {
    FxBuildHasher.hash_one(place)
}

#[expect(clippy::cast_precision_loss, reason = "a gauge does not need the last byte")]
fn as_f64(number: u64) -> f64 {
    number as f64
}
