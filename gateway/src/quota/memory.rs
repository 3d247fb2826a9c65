//! Buckets in this process. Their number is bounded: full ones are forgotten, and when all are in use, new keys of a rule
//! share one, so that nobody gets more by using many keys.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::bucket::Bucket;
use super::key::Key;
use super::store::{Demand, Levels, Outcome};

/// How long to wait between two searches for buckets to forget, in milliseconds.
const SWEEP_PAUSE: i64 = 1000;

#[derive(Debug)]
pub(super) struct Memory {
    table: Mutex<Table>,
    most: usize,
}

#[derive(Debug, Default)]
struct Table {
    buckets: FxHashMap<Key, (Bucket, super::bucket::Measure)>,
    swept: Option<i64>,
}

impl Memory {
    pub(super) fn new(most: usize) -> Self {
        Self { table: Mutex::default(), most }
    }

    /// Debits all of these, or none.
    pub(super) fn take(&self, demands: &[Demand], now: i64) -> Outcome {
        let mut table = self.lock();
        let keys: Vec<Key> = demands.iter().map(|demand| table.key(demand, now, self.most)).collect();
        let mut levels = Levels::with_capacity(demands.len());
        let mut short = None;
        for (index, (demand, key)) in demands.iter().zip(&keys).enumerate() {
            let level = table.bucket(*key, demand, now).level(demand.measure, now);
            if level < demand.amount {
                short.get_or_insert(index);
            }
            levels.push(level);
        }
        if short.is_none() {
            for ((demand, key), level) in demands.iter().zip(&keys).zip(&mut levels) {
                *level -= demand.amount;
                table.change(*key, demand, now, -demand.amount);
            }
        }
        Outcome { levels, short }
    }

    /// Gives back or takes more, by demand.
    pub(super) fn settle(&self, demands: &[Demand], more: &[f64], now: i64) -> Levels {
        let mut table = self.lock();
        let settle = |(demand, more): (&Demand, &f64)| {
            let key = table.key(demand, now, self.most);
            table.change(key, demand, now, *more)
        };
        demands.iter().zip(more).map(settle).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The demand's own key where there is room for it.
    fn key(&mut self, demand: &Demand, now: i64, most: usize) -> Key {
        if self.buckets.contains_key(&demand.key) || self.has_room(now, most) {
            return demand.key;
        }
        demand.shared_key
    }

    fn has_room(&mut self, now: i64, most: usize) -> bool {
        if self.buckets.len() < most {
            return true;
        }
        if self.swept.is_none_or(|swept| (now - swept).abs() >= SWEEP_PAUSE) {
            self.swept = Some(now);
            self.buckets.retain(|_, (bucket, measure)| !bucket.is_full(*measure, now));
        }
        self.buckets.len() < most
    }

    fn bucket(&self, key: Key, demand: &Demand, now: i64) -> Bucket {
        self.buckets.get(&key).map_or_else(|| Bucket::full(demand.measure, now), |(bucket, _)| *bucket)
    }

    fn change(&mut self, key: Key, demand: &Demand, now: i64, more: f64) -> f64 {
        let bucket = self.bucket(key, demand, now).with(demand.measure, now, more);
        self.buckets.insert(key, (bucket, demand.measure));
        bucket.level(demand.measure, now)
    }
}
