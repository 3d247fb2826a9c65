//! A schedule as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::{ScheduleId, UserId};
use sqlx::FromRow;

/// What is made up for when no worker was there to fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(crate) enum MissedRuns {
    /// Nothing.
    Skip,
    /// The newest run.
    Once,
    /// Every run, the newest hundred at most.
    All,
}

/// A row of `platform.schedules`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ScheduleRow {
    pub(crate) id: ScheduleId,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) cron: String,
    pub(crate) zone: String,
    pub(crate) missed: MissedRuns,
    pub(crate) enabled: bool,
    pub(crate) next_run: Option<DateTime<Utc>>,
    pub(crate) last_run: Option<DateTime<Utc>>,
    pub(crate) version: i64,
    pub(crate) actor: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}
