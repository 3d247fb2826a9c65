//! Rows of the audit.

use chrono::{DateTime, Utc};
use pulse_types::UserId;
use sqlx::FromRow;
use uuid::Uuid;

/// A row of `platform.audit`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct AuditRow {
    pub(crate) id: Uuid,
    pub(crate) at: DateTime<Utc>,
    pub(crate) actor: Option<UserId>,
    pub(crate) action: String,
    pub(crate) subject: String,
    pub(crate) key: Option<Uuid>,
    pub(crate) version: Option<i64>,
    pub(crate) items: i32,
    pub(crate) request: Uuid,
    pub(crate) address: Option<String>,
}
