//! A debit from its making until it is known what the operation cost.

use std::sync::Arc;

use super::bucket::Measure;
use super::rule::{Quotas, Standing};
use super::store::{Demand, LeaseId, Place, Store};
use crate::engine::Cost;

/// What was debited for a request. Dropped without being settled, as when a client goes away, it stays debited in full;
/// only when the process itself dies does it come back.
#[derive(Default)]
pub(crate) struct Debit {
    open: Option<Open>,
    standings: Vec<Standing>,
}

struct Open {
    store: Arc<Store>,
    /// Those that are settled.
    demands: Vec<Demand>,
    place: Place,
    lease: LeaseId,
    amount: f64,
    now: i64,
    measures: Vec<Measure>,
}

impl Debit {
    /// Where there are no rules.
    pub(super) fn nothing() -> Self {
        Self::default()
    }

    pub(super) fn made(
        quotas: &Quotas,
        (demands, measures, standings): (Vec<Demand>, Vec<Measure>, Vec<Standing>),
        (place, lease): (Place, LeaseId),
        amount: f64,
    ) -> Self {
        let store = Arc::clone(&quotas.store);
        let leased = demands.iter().any(|demand| demand.leased);
        let open = leased.then(|| Open { store, demands, place, lease, amount, now: quotas.now(), measures });
        Self { open, standings }
    }

    /// How the buckets stand.
    pub(crate) fn standings(&self) -> &[Standing] {
        &self.standings
    }

    /// Gives back what the operation cost less than was debited, or takes what it cost more.
    pub(crate) async fn settle(mut self, quotas: &Quotas, actual: Cost) -> Vec<Standing> {
        let mut standings = std::mem::take(&mut self.standings);
        let Some(open) = self.open.take() else { return standings };
        let demands = (open.demands.as_slice(), open.place);
        let levels = open.store.settle(demands, actual.to_float(), open.lease, quotas.now()).await;
        for ((standing, measure), level) in
            standings.iter_mut().zip(&open.measures).zip(levels.iter().flatten())
        {
            *standing = standing.at(*measure, *level);
        }
        standings
    }
}

impl Drop for Debit {
    fn drop(&mut self) {
        let Some(open) = self.open.take() else { return };
        // In memory it is debited already; in Redis it would lapse.
        if open.place != Place::Redis {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let demands = (open.demands.as_slice(), open.place);
                open.store.settle(demands, open.amount, open.lease, open.now).await;
            });
        }
    }
}
