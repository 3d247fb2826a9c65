//! What a handler works with.

use std::sync::atomic::{AtomicI16, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pulse_store::{Session, Store, StoreError};
use pulse_types::{Caller, JobId, OrgId, RequestId};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::{Job, JobError};

/// Progress is written down, and told, when it has come this many per cent further: at most twenty times an attempt.
const STEP: i16 = 5;

/// How many bytes a result may have, written as JSON.
const RESULT_LIMIT: usize = 64 * 1024;

const PROGRESS: &str = include_str!("queries/progress.sql");

/// What a handler works with.
pub struct JobContext {
    store: Store,
    job: JobId,
    claims: i32,
    told: AtomicI16,
    cancelled: CancellationToken,
    stopping: CancellationToken,
    result: Mutex<Option<Value>>,
}

impl JobContext {
    pub(crate) fn new(store: Store, job: &Job, stopping: CancellationToken) -> Self {
        let cancelled = CancellationToken::new();
        let (told, result) = (AtomicI16::new(0), Mutex::default());
        Self { store, job: job.id, claims: job.claims, told, cancelled, stopping, result }
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

    /// Says what the job has brought, which is kept with its end for those who may see the job: ids and numbers, no values
    /// of persons. What was said last counts, and nothing of it where the attempt fails. Fails for good when it has more
    /// than 64 KiB.
    pub fn set_result(&self, result: Map<String, Value>) -> Result<(), JobError> {
        let result = Value::Object(result);
        let text = result.to_string();
        let length = text.len();
        if text.contains("\\u0000") {
            return Err(JobError::Fatal("the job's result has a NUL, which no text may have".to_owned()));
        }
        if length > RESULT_LIMIT {
            let reason = format!(
                "the job's result has {length} bytes, allowed are {RESULT_LIMIT}: say where it is instead"
            );
            return Err(JobError::Fatal(reason));
        }
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        Ok(())
    }

    pub(crate) fn take_result(&self) -> Option<Value> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
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
