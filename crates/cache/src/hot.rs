//! What is asked for most: the space-saving sketch of Metwally et al., over a sample.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;

/// How many keys are counted.
const COUNTED: usize = 256;

/// One of so many is counted, as so many.
const SAMPLED: u64 = 8;

/// After so many samples what was counted is worth half.
const HALVED_AFTER: u64 = 4_096;

/// What was asked for so often lately is hot.
const HOT: u64 = 32;

/// Counts what is asked for, in bounded space.
#[derive(Debug, Default)]
pub(crate) struct Hot {
    asked: AtomicU64,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    of: FxHashMap<u64, u64>,
    samples: u64,
}

impl Hot {
    /// Counts one. The sketch is left alone when somebody else is at it: a sample more or less is all the same.
    pub(crate) fn asked(&self, key: u64) {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(SAMPLED)
            && let Ok(mut counts) = self.counts.try_lock()
        {
            counts.add(key);
        }
    }

    pub(crate) fn is_hot(&self, key: u64) -> bool {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.of.get(&key).is_some_and(|count| *count >= HOT)
    }
}

impl Counts {
    fn add(&mut self, key: u64) {
        self.samples += 1;
        if self.samples.is_multiple_of(HALVED_AFTER) {
            self.of.values_mut().for_each(|count| *count /= 2);
            self.of.retain(|_, count| *count > 0);
        }
        if let Some(count) = self.of.get_mut(&key) {
            *count += SAMPLED;
        } else if self.of.len() < COUNTED {
            self.of.insert(key, SAMPLED);
        } else if let Some((&rarest, &count)) = self.of.iter().min_by_key(|(_, count)| **count) {
            // It may have been asked for as often as the one whose place it takes, and never more often than is said.
            self.of.remove(&rarest);
            self.of.insert(key, count + SAMPLED);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_most_is_found_among_much_else() {
        let hot = Hot::default();
        for round in 0..40_000 {
            // Coprime to the sampling, so that both kinds are seen.
            hot.asked(if round % 5 == 0 { 7 } else { 1_000 + round });
        }
        assert!(hot.is_hot(7));
        let counts = hot.counts.lock().unwrap();
        assert!(counts.of.len() <= COUNTED, "space is bounded");
        assert_eq!(counts.of.iter().max_by_key(|(_, count)| **count).map(|(key, _)| *key), Some(7));
    }

    #[test]
    fn what_was_hot_is_forgotten() {
        let hot = Hot::default();
        (0..1_000).for_each(|_| hot.asked(7));
        assert!(hot.is_hot(7));
        (0..HALVED_AFTER * SAMPLED * 8).for_each(|other| hot.asked(8 + other % 3));
        assert!(!hot.is_hot(7));
    }
}
