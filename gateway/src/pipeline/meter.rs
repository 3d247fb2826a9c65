//! Subscriptions pay with each event: what it may cost is debited before it runs, and what it did not use is given back.
//! A stream ends when its budget is empty.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;

use super::charge::shortage_error;
use super::operate::{Client, Results};
use super::refusal::Refusal;
use crate::engine::{Cost, ExecutionResult, Toll};
use crate::quota::{Asker, Debit, Quotas, Shortage};

/// Pays for the events of one stream.
pub(super) struct Meter {
    pub(super) quotas: Arc<Quotas>,
    pub(super) client: Client,
    pub(super) operation: Option<String>,
    /// What an event costs at most.
    pub(super) estimate: Cost,
    /// What was paid for the event that runs now.
    pub(super) paid: Mutex<Option<Result<Debit, Shortage>>>,
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("estimate", &self.estimate).finish_non_exhaustive()
    }
}

#[async_trait]
impl Toll for Meter {
    async fn pay(&self) -> bool {
        let paid = self.debit().await;
        let enough = paid.is_ok();
        *self.paid.lock().unwrap_or_else(PoisonError::into_inner) = Some(paid);
        enough
    }
}

impl Meter {
    /// The same results, each paid for. One that nobody paid for before, because others who share it let it run, is paid
    /// for when it is delivered: everybody pays the same.
    pub(super) fn metered(self: Arc<Self>, results: Results) -> Results {
        let open = Some((self, results));
        futures::stream::unfold(open, |open| async move {
            let (meter, mut results) = open?;
            match results.next().await? {
                Err(refusal) => Some((Err(refusal), None)),
                Ok(result) => match meter.settle(&result).await {
                    Ok(()) => Some((Ok(result), Some((meter, results)))),
                    Err(refusal) => Some((Err(refusal), None)),
                },
            }
        })
        .boxed()
    }

    async fn settle(&self, result: &ExecutionResult) -> Result<(), Refusal> {
        let paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner).take();
        let paid = match paid {
            Some(paid) => paid,
            None => self.debit().await,
        };
        let debit =
            paid.map_err(|shortage| Refusal::errors(vec![shortage_error(&shortage, Some(self.estimate))]))?;
        debit.settle(&self.quotas, result.cost.unwrap_or_default()).await;
        Ok(())
    }

    async fn debit(&self) -> Result<Debit, Shortage> {
        let Client { caller, terms, headers, address, .. } = &self.client;
        let operation = self.operation.as_deref();
        let asker = Asker { caller, terms: terms.as_deref(), headers, address: *address, operation };
        self.quotas.debit_event(&asker, self.estimate).await
    }
}
