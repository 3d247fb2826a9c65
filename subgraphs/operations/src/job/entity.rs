//! A job as it is stored, wherever it stands.

use chrono::{DateTime, Utc};
use pulse_types::{JobId, ScheduleId, UserId};
use sqlx::FromRow;

/// What is being done about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(crate) enum JobStatus {
    /// It waits for its first or next attempt.
    Pending,
    /// A worker runs it.
    Processing,
    /// It was done.
    Completed,
    /// It was given up after its last attempt.
    Failed,
    /// Somebody has cancelled it.
    Cancelled,
}

impl JobStatus {
    /// As it is stored, and as events say it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        [Self::Pending, Self::Processing, Self::Completed, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == name)
    }

    /// Whether nothing more is done about it, unless somebody has it retried.
    pub(crate) const fn is_end(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// A row of `platform.jobs` or `platform.jobs_ended`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct JobRow {
    pub(crate) id: JobId,
    pub(crate) kind: String,
    pub(crate) status: JobStatus,
    pub(crate) priority: i16,
    pub(crate) attempts: i32,
    pub(crate) max_attempts: i32,
    pub(crate) run_at: DateTime<Utc>,
    pub(crate) progress: i16,
    pub(crate) unique_key: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) actor: Option<UserId>,
    pub(crate) cancel: bool,
    pub(crate) version: i64,
    pub(crate) schedule: Option<ScheduleId>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
}
