//! Rows of organizations.

use chrono::{DateTime, Utc};
use pulse_types::{OrgId, Role, UnknownRole};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// A role as it is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StoredRole(pub(crate) Role);

impl TryFrom<String> for StoredRole {
    type Error = UnknownRole;

    fn try_from(text: String) -> Result<Self, UnknownRole> {
        text.parse().map(Self)
    }
}

/// An organization as somebody may see it.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow)]
pub(crate) struct OrganizationRow {
    #[sqlx(rename = "org_id")]
    pub(crate) id: OrgId,
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
}

/// An organization that the caller is a member of.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct OwnOrganizationRow {
    #[sqlx(flatten)]
    pub(crate) organization: OrganizationRow,
    #[sqlx(try_from = "String")]
    pub(crate) role: StoredRole,
    pub(crate) joined_at: DateTime<Utc>,
}
