//! Rows of roles.

use chrono::{DateTime, Utc};
use pulse_types::RoleId;
use sqlx::FromRow;

/// A role that the tenant has made.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct RoleRow {
    pub(crate) id: RoleId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) permissions: Vec<String>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}
