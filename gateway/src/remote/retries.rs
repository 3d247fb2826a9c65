//! When a call is made again, and after what wait.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::header::{HeaderMap, RETRY_AFTER};

use crate::config::RetriesConfig;

/// What one repeat costs.
const REPEAT: i64 = 100;

/// How many repeats a subgraph's calls may still cause. A subgraph that fails is not to be asked three times as often.
pub(super) struct Budget {
    balance: AtomicI64,
    earned: i64,
    size: i64,
}

impl Budget {
    pub(super) fn new(config: &RetriesConfig) -> Self {
        let size = i64::from(config.budget_size) * REPEAT;
        Self { balance: AtomicI64::new(size), earned: i64::from(config.budget_percent), size }
    }

    /// A call is made.
    pub(super) fn earn(&self) {
        if self.balance.load(Ordering::Relaxed) < self.size {
            let earned = |balance: i64| Some((balance + self.earned).min(self.size));
            let _balance = self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, earned);
        }
    }

    /// Whether a call may be made again.
    pub(super) fn spend(&self) -> bool {
        let spent = |balance: i64| (balance >= REPEAT).then_some(balance - REPEAT);
        self.balance.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spent).is_ok()
    }
}

/// How long to wait before the next attempt, after so many.
pub(super) fn backoff(config: &RetriesConfig, attempts: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    let longest = config.backoff.saturating_mul(doubled).min(config.max_backoff);
    longest.mul_f64(rand::random())
}

/// For how long a subgraph asks to be left alone (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?;
    Some(at.signed_duration_since(now).to_std().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_earned_by_calls_and_saved_up_to_a_size() {
        let config = RetriesConfig { budget_percent: 50, budget_size: 2, ..RetriesConfig::default() };
        let budget = Budget::new(&config);
        let spent = |budget: &Budget| (0..100).take_while(|_| budget.spend()).count();
        assert_eq!(spent(&budget), 2);
        budget.earn();
        assert_eq!(spent(&budget), 0);
        budget.earn();
        assert_eq!(spent(&budget), 1);
        (0..100).for_each(|_| budget.earn());
        assert_eq!(spent(&budget), 2);
    }

    #[test]
    fn waits_grow_up_to_a_limit() {
        let config = RetriesConfig::default();
        for (attempts, longest) in [(1, 25), (2, 50), (3, 100), (7, 1000), (100, 1000)] {
            for _ in 0..50 {
                assert!(backoff(&config, attempts) <= Duration::from_millis(longest));
            }
        }
    }

    #[test]
    fn a_wait_is_given_in_seconds_or_as_a_time() {
        let now = "1994-11-06T08:49:30Z".parse().unwrap();
        let wait = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("7"), Some(7));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(7));
        assert_eq!(wait("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(wait("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
