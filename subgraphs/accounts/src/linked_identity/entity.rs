//! Rows of identities.

use chrono::{DateTime, Utc};
use pulse_types::{IdentityId, OrgId};
use sqlx::FromRow;

/// Who a person is at an issuer.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct IdentityRow {
    pub(crate) id: IdentityId,
    /// The organization whose issuer it is; the nil id for one of the settings.
    pub(crate) scope: OrgId,
    pub(crate) issuer: String,
    pub(crate) email: Option<String>,
    pub(crate) linked_at: DateTime<Utc>,
    pub(crate) last_used_at: DateTime<Utc>,
}

impl IdentityRow {
    /// The organization whose issuer it is, if it is one's.
    pub(crate) fn organization(&self) -> Option<OrgId> {
        Some(self.scope).filter(|scope| !scope.uuid().is_nil())
    }
}
