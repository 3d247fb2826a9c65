//! What could not be done, as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::{Change, DeadLetterId};
use sqlx::FromRow;
use sqlx::types::Json;

/// What it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(crate) enum DeadLetterSource {
    /// An event of the log that a consumer group could not handle.
    Event,
    /// A job that failed for good.
    Job,
}

/// A row of `platform.dead_letters`, or a failed one of `platform.jobs_ended`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct DeadLetterRow {
    pub(crate) id: DeadLetterId,
    pub(crate) source: DeadLetterSource,
    /// The consumer group, or the kind of the job.
    pub(crate) name: String,
    pub(crate) attempts: i32,
    pub(crate) error: Option<String>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) retry: bool,
    pub(crate) event: Option<Json<Change>>,
}
