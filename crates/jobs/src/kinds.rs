//! The kinds of jobs that a worker knows, and what is said of each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::Rng;

use crate::{JobHandler, Policy, WorkerOptions};

/// One kind: who does it, and how.
#[derive(Clone)]
pub(crate) struct Kind {
    pub(crate) handler: Arc<dyn JobHandler>,
    pub(crate) attempts: Option<u16>,
    pub(crate) concurrency: Option<u32>,
    pub(crate) time_limit: Duration,
    backoff: Duration,
    max_backoff: Duration,
}

/// All kinds, by name.
pub(crate) struct Kinds(BTreeMap<&'static str, Arc<Kind>>);

impl Kinds {
    pub(crate) fn new(
        handlers: impl IntoIterator<Item = Arc<dyn JobHandler>>,
        options: &WorkerOptions,
    ) -> Self {
        let kind = |handler: Arc<dyn JobHandler>| {
            let configured = options.kinds.get(handler.kind()).copied().unwrap_or_default();
            let Policy { attempts, concurrency, backoff, max_backoff, time_limit } =
                configured.or(handler.policy());
            let kind = Kind {
                attempts,
                concurrency,
                time_limit: time_limit.unwrap_or(options.time_limit),
                backoff: backoff.unwrap_or(options.backoff),
                max_backoff: max_backoff.unwrap_or(options.max_backoff),
                handler,
            };
            (kind.handler.kind(), Arc::new(kind))
        };
        Self(handlers.into_iter().map(kind).collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Kind>> {
        self.0.get(name)
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.keys().copied().collect()
    }

    /// How many of each may run at once, in the order of the names.
    pub(crate) fn concurrency(&self) -> Vec<Option<i32>> {
        self.0
            .values()
            .map(|kind| kind.concurrency.map(|most| i32::try_from(most).unwrap_or(i32::MAX)))
            .collect()
    }

    /// How often each may be started, in the order of the names.
    pub(crate) fn attempts(&self) -> Vec<Option<i32>> {
        self.0.values().map(|kind| kind.attempts.map(|most| i32::from(most.max(1)))).collect()
    }
}

impl Kind {
    /// The delay before the attempt after this one: doubling, with jitter of a half, bounded.
    pub(crate) fn delay(&self, attempt: i32) -> Duration {
        let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(20);
        let full = self.backoff.saturating_mul(1 << doublings).min(self.max_backoff);
        full.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}
