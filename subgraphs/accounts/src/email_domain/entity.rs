//! Rows of domains.

use chrono::{DateTime, Utc};
use pulse_types::IdentityProviderId;
use sqlx::FromRow;

/// A domain that the tenant says is its own.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct DomainRow {
    pub(crate) domain: String,
    pub(crate) provider_id: Option<IdentityProviderId>,
    /// What the domain must publish.
    pub(crate) proof: String,
    pub(crate) verified_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
}
