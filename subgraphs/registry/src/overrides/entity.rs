//! A change that is let through, as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::{SchemaOverrideId, UserId};
use sqlx::FromRow;

/// A row of `registry.overrides`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OverrideRow {
    pub(crate) id: SchemaOverrideId,
    pub(crate) environment: String,
    /// Any kind of change, if there is none.
    pub(crate) code: Option<String>,
    pub(crate) coordinate: String,
    pub(crate) reason: String,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) version: i64,
    pub(crate) actor: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
}

impl OverrideRow {
    /// Whether it lets such a change through.
    pub(crate) fn lets(&self, code: &str, coordinate: &str) -> bool {
        self.coordinate == coordinate && self.code.as_ref().is_none_or(|own| own == code)
    }
}
