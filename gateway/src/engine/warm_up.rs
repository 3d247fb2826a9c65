//! A new engine learns the operations that the old one is asked for most, before anybody asks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;

use super::Engine;
use super::variant::{PlanKey, PlanKeyRef, PlanVariant};

/// Operations that an engine is asked for, the most used first.
pub struct MostUsed(Vec<(Arc<PlanKey>, u64)>);

/// What came of preparing them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WarmedUp {
    /// Planned.
    pub planned: usize,
    /// No longer valid, or not to be planned.
    pub failed: usize,
    /// Left out for want of time.
    pub skipped: usize,
}

impl MostUsed {
    /// Operations that nobody has asked for yet.
    pub(crate) fn soon<'a>(documents: impl IntoIterator<Item = &'a str>) -> Self {
        let variant = PlanVariant::default();
        let key = |document| Arc::new(PlanKeyRef { document, name: None, variant: &variant }.to_key());
        Self(documents.into_iter().map(|document| (key(document), 0)).collect())
    }
}

impl Engine {
    /// The most used operations, at most this many.
    pub fn most_used(&self, count: usize) -> MostUsed {
        let uses = self.plans.iter().map(|(key, operation)| (key, operation.usage.uses()));
        let mut most: Vec<_> = uses.filter(|(_, uses)| *uses > 0).collect();
        most.sort_by_key(|(_, uses)| std::cmp::Reverse(*uses));
        most.truncate(count);
        MostUsed(most)
    }

    /// Prepares operations until the time is up.
    pub async fn warm_up(&self, operations: MostUsed, limit: Duration) -> WarmedUp {
        let deadline = Instant::now() + limit;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let prepare = |(key, uses): (Arc<PlanKey>, u64)| async move {
            if Instant::now() >= deadline {
                return WarmedUp { skipped: 1, ..WarmedUp::default() };
            }
            let key = key.as_ref().as_ref();
            let planning = self.plans.try_get_with(key.to_key(), self.planning.prepare(&self.preparer, key));
            match tokio::time::timeout_at(deadline.into(), planning).await {
                Ok(Ok(operation)) => {
                    operation.usage.inherit(uses);
                    WarmedUp { planned: 1, ..WarmedUp::default() }
                }
                Ok(Err(_)) => WarmedUp { failed: 1, ..WarmedUp::default() },
                Err(_) => WarmedUp { skipped: 1, ..WarmedUp::default() },
            }
        };
        let add = |sum: WarmedUp, one: WarmedUp| {
            std::future::ready(WarmedUp {
                planned: sum.planned + one.planned,
                failed: sum.failed + one.failed,
                skipped: sum.skipped + one.skipped,
            })
        };
        stream::iter(operations.0).map(prepare).buffer_unordered(cores).fold(WarmedUp::default(), add).await
    }
}
