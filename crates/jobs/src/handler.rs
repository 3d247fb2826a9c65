//! What a job does.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use pulse_store::StoreError;
use pulse_types::{JobId, OrgId};

use crate::{JobContext, Policy};

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
    /// Since when it might have run: of a scheduled job, the time that it is for.
    pub run_at: DateTime<Utc>,
    /// Which claim this is. An older one can change nothing any more.
    pub(crate) claims: i32,
}

/// Why an attempt failed. The text is kept with the job and shown to those who may see it, so it names no values and
/// nothing of the inside.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Trying again may help.
    #[error("{0}")]
    Retry(String),
    /// Trying again may help, but not before this time has passed.
    #[error("{reason}")]
    RetryAfter {
        /// What failed.
        reason: String,
        /// How long to wait, instead of the usual backoff.
        delay: Duration,
    },
    /// Trying again cannot help.
    #[error("{0}")]
    Fatal(String),
    /// The job was cancelled, and the handler has stopped.
    #[error("the job was cancelled")]
    Cancelled,
    /// Another worker has the job: whatever is done now counts for nothing.
    #[error("the job is no longer this worker's")]
    Lost,
}

impl From<StoreError> for JobError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(error = &error as &dyn std::error::Error, "a statement of a job failed");
        Self::Retry(format!("the database did not do it ({})", error.kind()))
    }
}

/// Does one kind of job. It may run more than once for the same job, so it must be idempotent. It may be dropped at any
/// `.await`: when it takes too long, when its job turns out to be another worker's, when the process has to end.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The kind that it does: `subgraph.what`.
    fn kind(&self) -> &'static str;

    /// What is different for this kind. The settings go over it.
    fn policy(&self) -> Policy {
        Policy::default()
    }

    /// Does it.
    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError>;
}
