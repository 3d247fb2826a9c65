//! Rows of consents.

use chrono::{DateTime, Utc};
use pulse_types::ConsentId;
use sqlx::FromRow;

/// A row of `accounts.consents`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ConsentRow {
    pub(crate) id: ConsentId,
    pub(crate) purpose: String,
    pub(crate) version: String,
    pub(crate) given_at: DateTime<Utc>,
    pub(crate) withdrawn_at: Option<DateTime<Utc>>,
}
