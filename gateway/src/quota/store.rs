//! Where buckets are: in this process or in Redis, and what happens while that cannot be reached.

use std::sync::atomic::{AtomicI64, Ordering};

use metrics::counter;

use super::bucket::Measure;
use super::key::Key;
use super::memory::Memory;
use super::redis::RedisBuckets;
use crate::config::{RedisConfig, WhenUnreachable};

/// What is asked of one bucket.
#[derive(Debug, Clone)]
pub(super) struct Demand {
    pub(super) key: Key,
    /// The bucket of all those for whom there is no room.
    pub(super) shared_key: Key,
    pub(super) measure: Measure,
    pub(super) amount: f64,
    /// Whether it is settled later, and lapses when it is not.
    pub(super) leased: bool,
}

/// What buckets hold, by demand.
pub(super) type Levels = Vec<f64>;

/// What became of some demands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) levels: Levels,
    /// The first bucket that holds too little: then nothing was debited.
    pub(super) short: Option<usize>,
}

/// A number that no other debit has.
pub(super) type LeaseId = u128;

/// Names a debit that lapses.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lease {
    pub(super) id: LeaseId,
    /// When it lapses.
    pub(super) until: i64,
}

/// Where a debit was made, and so has to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Memory,
    Redis,
    Nowhere,
}

/// Nobody could say whether there is enough.
pub(super) struct Unavailable;

/// How long after a failure Redis is not asked again, in milliseconds.
const PAUSE: i64 = 500;

pub(super) struct Store {
    memory: Memory,
    redis: Option<RedisBuckets>,
    policy: WhenUnreachable,
    /// Until when Redis is not asked.
    paused: AtomicI64,
}

impl Store {
    pub(super) fn new(config: &RedisConfig, most: usize) -> Self {
        Self {
            memory: Memory::new(most),
            redis: RedisBuckets::new(config),
            policy: config.when_unreachable,
            paused: AtomicI64::new(i64::MIN),
        }
    }

    /// Debits all of these, or none.
    pub(super) async fn take(
        &self,
        demands: &[Demand],
        lease: Lease,
        now: i64,
    ) -> Result<(Outcome, Place), Unavailable> {
        let Some(redis) = &self.redis else { return Ok((self.memory.take(demands, now), Place::Memory)) };
        if now >= self.paused.load(Ordering::Relaxed) {
            match redis.take(demands, lease, now).await {
                Ok(outcome) => return Ok((outcome, Place::Redis)),
                Err(error) => self.failed(&error, now),
            }
        }
        match self.policy {
            WhenUnreachable::Local => Ok((self.memory.take(demands, now), Place::Memory)),
            WhenUnreachable::Allow => {
                let levels = demands.iter().map(|demand| demand.measure.capacity).collect();
                Ok((Outcome { levels, short: None }, Place::Nowhere))
            }
            WhenUnreachable::Refuse => Err(Unavailable),
        }
    }

    /// Replaces the debits of a lease by what was really used. Without an answer, a debit in Redis lapses.
    pub(super) async fn settle(
        &self,
        (demands, place): (&[Demand], Place),
        actual: f64,
        lease: LeaseId,
        now: i64,
    ) -> Option<Levels> {
        match (place, &self.redis) {
            (Place::Memory, _) => Some(self.settle_in_memory(demands, actual, now)),
            (Place::Redis, Some(redis)) => match redis.settle(demands, actual, lease, now).await {
                Ok(levels) => Some(levels),
                Err(error) => {
                    self.failed(&error, now);
                    None
                }
            },
            (Place::Redis, None) | (Place::Nowhere, _) => None,
        }
    }

    pub(super) fn settle_in_memory(&self, demands: &[Demand], actual: f64, now: i64) -> Levels {
        let more = |demand: &Demand| if demand.leased { demand.amount - actual } else { 0.0 };
        let more: Vec<f64> = demands.iter().map(more).collect();
        self.memory.settle(demands, &more, now)
    }

    /// Counts a failure, and says it once a pause.
    fn failed(&self, error: &(dyn std::error::Error + 'static), now: i64) {
        counter!("pulse_gateway_quota_store_failures_total").increment(1);
        let before = self.paused.fetch_max(now.saturating_add(PAUSE), Ordering::Relaxed);
        if now >= before {
            tracing::warn!(error, policy = ?self.policy, "limits and budgets cannot be kept in Redis");
        }
    }
}
