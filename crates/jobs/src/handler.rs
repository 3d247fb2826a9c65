//! What a job does.

use std::sync::Arc;

use async_trait::async_trait;
use pulse_store::{Session, Store, StoreError};
use pulse_types::{Caller, JobId, OrgId, RequestId};

/// A claimed job.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The tenant that it works for; `None` for upkeep of the platform.
    pub tenant: Option<OrgId>,
    /// Names the handler.
    pub kind: String,
    /// The handler's arguments.
    pub payload: serde_json::Value,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// How many there may be.
    pub max_attempts: i32,
}

/// Why an attempt failed. The text is kept with the job.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Trying again may help.
    #[error("{0}")]
    Retry(String),
    /// Trying again cannot help.
    #[error("{0}")]
    Fatal(String),
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        Self::Retry(error.to_string())
    }
}

/// What a handler works with.
pub struct JobContext {
    pub(crate) store: Store,
    pub(crate) job: JobId,
}

impl JobContext {
    /// The store, for maintenance work.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// A session in `tenant`, as Pulse itself.
    pub fn session(&self, tenant: OrgId) -> Session {
        let request = RequestId::from_uuid(self.job.uuid());
        self.store.session(Arc::new(Caller::system(tenant, request)))
    }

    /// Says how far the job is, in per cent.
    pub async fn progress(&self, percent: i16) -> Result<(), StoreError> {
        let mut connection = self.store.system().await?;
        let update =
            sqlx::query("UPDATE platform.jobs SET progress = $1 WHERE id = $2 AND status = 'processing'");
        connection.execute("jobs.progress", update.bind(percent.clamp(0, 100)).bind(self.job)).await?;
        connection.commit().await
    }
}

/// Does one kind of job. It may run more than once for the same job, so it must be idempotent.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind that it does: `subgraph.what`.
    fn kind(&self) -> &'static str;

    /// Does it.
    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError>;
}
