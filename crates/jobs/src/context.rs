//! What a handler works with.

use std::sync::Arc;
use std::sync::atomic::{AtomicI16, Ordering};

use pulse_store::{Session, Store, StoreError};
use pulse_types::{Caller, JobId, OrgId, RequestId};
use tokio_util::sync::CancellationToken;

use crate::{Job, JobError};

/// Progress is written down, and told, when it has come this many per cent further: at most twenty times an attempt.
const STEP: i16 = 5;

const PROGRESS: &str = include_str!("queries/progress.sql");

/// What a handler works with.
pub struct JobContext {
    store: Store,
    job: JobId,
    claims: i32,
    told: AtomicI16,
    cancelled: CancellationToken,
    stopping: CancellationToken,
}

impl JobContext {
    pub(crate) fn new(store: Store, job: &Job, stopping: CancellationToken) -> Self {
        let cancelled = CancellationToken::new();
        Self { store, job: job.id, claims: job.claims, told: AtomicI16::new(0), cancelled, stopping }
    }

    /// The store, for maintenance work.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A session in `tenant`, as Pulse itself.
    pub fn session(&self, tenant: OrgId) -> Session {
        let request = RequestId::from_uuid(self.job.uuid());
        self.store.session(Arc::new(Caller::system(tenant, request)))
    }

    /// Cancelled when the job is: the handler should clean up and end with [`JobError::Cancelled`]. One that goes on for
    /// too long is dropped.
    pub const fn cancelled(&self) -> &CancellationToken {
        &self.cancelled
    }

    /// Cancelled when the worker is told to stop. A handler that can leave off at a good place does, by
    /// [`JobError::Retry`]; one that goes on is dropped after a while, and its job is run again elsewhere.
    pub const fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Says how far the job is, in per cent. Cheap to call often. Fails when the job was cancelled or is another
    /// worker's by now.
    pub async fn progress(&self, percent: i16) -> Result<(), JobError> {
        if self.cancelled.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let step = percent.clamp(0, 100) / STEP * STEP;
        if self.told.fetch_max(step, Ordering::Relaxed) >= step {
            return Ok(());
        }
        match self.tell(step).await? {
            None => Err(JobError::Lost),
            Some(true) => {
                self.cancelled.cancel();
                Err(JobError::Cancelled)
            }
            Some(false) => Ok(()),
        }
    }

    /// Whether the job is cancelled; `None` when it is not this worker's.
    async fn tell(&self, percent: i16) -> Result<Option<bool>, StoreError> {
        let mut connection = self.store.worker().await?;
        let query = sqlx::query_as(PROGRESS)
            .bind(self.store.clock().now())
            .bind(self.job)
            .bind(self.claims)
            .bind(percent);
        let row: Option<(bool, bool)> = connection.fetch_optional("jobs.progress", query).await?;
        connection.commit().await?;
        if row.is_some_and(|(of_tenant, _)| of_tenant) {
            self.store.committed().notify_one();
        }
        Ok(row.map(|(_, cancelled)| cancelled))
    }
}
