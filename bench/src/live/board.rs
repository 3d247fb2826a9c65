//! What was sent when, and what came when.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Latencies are counted by tenths of a millisecond, up to ten seconds.
const BUCKETS: usize = 100_000;

/// What all clients of one server share.
pub(super) struct Board {
    began: Instant,
    /// For each entity, when each of its versions was sent, in microseconds; the place in the list is the version.
    sent: Vec<Mutex<Vec<u64>>>,
    /// How many of each latency.
    latencies: Vec<AtomicU64>,
    /// The last version that each client has heard of; zero before its first.
    heard: Vec<AtomicU64>,
    /// Which entity each client follows.
    follows: Vec<usize>,
    /// Versions that came twice, or in the place of others.
    wrong: AtomicU64,
    /// Connections that ended.
    gone: AtomicU64,
    changed: Notify,
}

/// How long deliveries took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    pub(super) count: u64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) most: f64,
}

impl Board {
    pub(super) fn new(entities: usize, follows: Vec<usize>) -> Self {
        Self {
            began: Instant::now(),
            sent: (0..entities).map(|_| Mutex::new(vec![0])).collect(),
            latencies: (0..BUCKETS).map(|_| AtomicU64::new(0)).collect(),
            heard: follows.iter().map(|_| AtomicU64::new(0)).collect(),
            follows,
            wrong: AtomicU64::new(0),
            gone: AtomicU64::new(0),
            changed: Notify::new(),
        }
    }

    pub(super) fn follows(&self, client: usize) -> usize {
        self.follows[client]
    }

    /// Notes that the next version of an entity is sent now; which one that is.
    pub(super) fn sending(&self, entity: usize) -> u64 {
        let now = self.now();
        let mut sent = self.sent[entity].lock().unwrap_or_else(PoisonError::into_inner);
        sent.push(now);
        sent.len() as u64 - 1
    }

    /// Notes that a client has heard of a version.
    pub(super) fn heard(&self, client: usize, version: u64) {
        let last = self.heard[client].swap(version, Ordering::Relaxed);
        if last == 0 {
            self.changed.notify_one();
            return;
        }
        if version != last + 1 {
            self.wrong.fetch_add(1, Ordering::Relaxed);
        }
        let sent = self.sent[self.follows[client]].lock().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = usize::try_from(version).ok().and_then(|version| sent.get(version).copied()) else {
            return;
        };
        drop(sent);
        let bucket = usize::try_from(self.now().saturating_sub(at) / 100).unwrap_or(BUCKETS);
        self.latencies[bucket.min(BUCKETS - 1)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn gone(&self) {
        self.gone.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
    }

    /// How many clients have heard of anything, and how many connections have ended.
    pub(super) fn present(&self) -> (usize, u64) {
        let present = self.heard.iter().filter(|heard| heard.load(Ordering::Relaxed) > 0).count();
        (present, self.gone.load(Ordering::Relaxed))
    }

    /// Returns when somebody new has heard of something, or after `patience`.
    pub(super) async fn changes(&self, patience: Duration) {
        let _in_time = tokio::time::timeout(patience, self.changed.notified()).await;
    }

    /// Events that clients have still to hear of, and those that came wrongly, connections that ended among them.
    pub(super) fn missing(&self) -> (u64, u64) {
        let newest: Vec<u64> = self
            .sent
            .iter()
            .map(|sent| sent.lock().unwrap_or_else(PoisonError::into_inner).len() as u64 - 1)
            .collect();
        let missing = self.heard.iter().zip(&self.follows);
        let missing = missing.map(|(heard, entity)| newest[*entity] - heard.load(Ordering::Relaxed)).sum();
        (missing, self.wrong.load(Ordering::Relaxed) + self.gone.load(Ordering::Relaxed))
    }

    /// The latencies since they were last asked for.
    pub(super) fn take_latency(&self) -> Latency {
        let counts: Vec<u64> = self.latencies.iter().map(|count| count.swap(0, Ordering::Relaxed)).collect();
        let count: u64 = counts.iter().sum();
        let at = |share: u64| {
            let mut left = (count * share).div_ceil(1_000);
            let bucket = counts.iter().position(|of_bucket| {
                let found = left <= *of_bucket && left > 0;
                left = left.saturating_sub(*of_bucket);
                found
            });
            bucket.map_or(0.0, |bucket| bucket as f64 / 10.0)
        };
        Latency { count, p50: at(500), p99: at(990), most: at(1_000) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}
