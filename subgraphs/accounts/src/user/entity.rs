//! Rows of users.

use chrono::{DateTime, Utc};
use pulse_types::UserId;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// A user as somebody may see it.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow)]
pub(crate) struct UserRow {
    #[sqlx(rename = "user_id")]
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) name: String,
    /// `None` also where the reader is somebody else.
    pub(crate) email_verified_at: Option<DateTime<Utc>>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
}

/// What a sign-in is checked against.
#[derive(Debug, FromRow)]
pub(crate) struct CredentialRow {
    pub(crate) user_id: UserId,
    pub(crate) password_hash: String,
    /// When the password was set.
    pub(crate) updated_at: DateTime<Utc>,
}
