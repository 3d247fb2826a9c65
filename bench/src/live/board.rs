//! When each event was committed, and what became of it at those who want it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How finely latencies are told apart.
const STEP: Duration = Duration::from_micros(20);

/// So many steps are told apart; what took longer counts as this long, but for the greatest.
const STEPS: usize = 500_000;

/// What writers and subscribers share: they are one process, so that one clock times both.
pub(crate) struct Board {
    began: Instant,
    /// By topic and version, in nanoseconds since the beginning; 0 until it is committed.
    committed: Vec<Vec<AtomicU64>>,
    latencies: Vec<AtomicU32>,
    greatest: AtomicU64,
    received: AtomicU64,
    doubled: AtomicU64,
    /// Subscribers whose stream broke.
    gone: AtomicU64,
}

/// What was seen of one measurement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) received: u64,
    pub(crate) doubled: u64,
    pub(crate) gone: u64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) greatest: Duration,
}

impl Board {
    /// A board for so many topics with at most so many events each.
    pub(crate) fn new(topics: usize, events: usize) -> Self {
        let zeros = |count| std::iter::repeat_with(|| AtomicU64::new(0)).take(count).collect();
        Self {
            began: Instant::now(),
            committed: std::iter::repeat_with(|| zeros(events)).take(topics).collect(),
            latencies: std::iter::repeat_with(|| AtomicU32::new(0)).take(STEPS).collect(),
            greatest: AtomicU64::new(0),
            received: AtomicU64::new(0),
            doubled: AtomicU64::new(0),
            gone: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// Whether there is room for an event with this version.
    pub(crate) fn has_room(&self, version: u64) -> bool {
        usize::try_from(version).is_ok_and(|version| version < self.committed[0].len())
    }

    /// Its commit has returned just now.
    pub(crate) fn committed(&self, topic: usize, version: u64) {
        if let Some(at) = usize::try_from(version).ok().and_then(|version| self.committed[topic].get(version))
        {
            at.store(self.now(), Ordering::Relaxed);
        }
    }

    /// A subscriber got this version where it had to get `expected`; returns what it has to get next.
    pub(crate) fn received(&self, topic: usize, version: u64, expected: u64) -> u64 {
        if version < expected {
            self.doubled.fetch_add(1, Ordering::Relaxed);
            return expected;
        }
        self.received.fetch_add(1, Ordering::Relaxed);
        let now = self.now();
        let at = usize::try_from(version).ok().and_then(|version| self.committed[topic].get(version));
        // Zero where it came before its writer's task went on: then it took next to nothing.
        let at = at.map_or(0, |at| at.load(Ordering::Relaxed));
        let took = if at == 0 { 0 } else { now.saturating_sub(at) };
        let step = u128::from(took) / STEP.as_nanos();
        let step = usize::try_from(step).unwrap_or(usize::MAX).min(STEPS - 1);
        self.latencies[step].fetch_add(1, Ordering::Relaxed);
        self.greatest.fetch_max(took, Ordering::Relaxed);
        version + 1
    }

    /// A subscriber's stream has broken.
    pub(crate) fn gone(&self) {
        self.gone.fetch_add(1, Ordering::Relaxed);
    }

    /// How many events were received since the last measurement.
    pub(crate) fn deliveries(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// What was seen, and begins anew.
    pub(crate) fn take(&self) -> Seen {
        let counts: Vec<u64> =
            self.latencies.iter().map(|count| u64::from(count.swap(0, Ordering::Relaxed))).collect();
        let all: u64 = counts.iter().sum();
        let at = |per_cent: u64| {
            let mut left = all * per_cent / 100;
            let step = counts.iter().position(|count| {
                let found = *count > left;
                left = left.saturating_sub(*count);
                found
            });
            STEP * u32::try_from(step.unwrap_or(0)).unwrap_or(u32::MAX)
        };
        Seen {
            received: self.received.swap(0, Ordering::Relaxed),
            doubled: self.doubled.swap(0, Ordering::Relaxed),
            gone: self.gone.swap(0, Ordering::Relaxed),
            p50: at(50),
            p99: at(99),
            greatest: Duration::from_nanos(self.greatest.swap(0, Ordering::Relaxed)),
        }
    }
}
