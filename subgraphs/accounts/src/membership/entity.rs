//! Rows of memberships.

use chrono::{DateTime, Utc};
use pulse_types::UserId;
use sqlx::FromRow;

use crate::organization::StoredRole;

/// Somebody's membership of the tenant.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct MembershipRow {
    pub(crate) user_id: UserId,
    #[sqlx(try_from = "String")]
    pub(crate) role: StoredRole,
    pub(crate) version: i64,
    pub(crate) joined_at: DateTime<Utc>,
}
