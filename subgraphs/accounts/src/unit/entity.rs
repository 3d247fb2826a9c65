//! Rows of units and of who belongs to them.

use chrono::{DateTime, Utc};
use pulse_types::{UnitId, UserId};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// What a unit is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, sqlx::Type, async_graphql::Enum,
)]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub(crate) enum UnitKind {
    /// A part of the organization, in which there may be others.
    Organization,
    /// People who work together; nothing is inside a team.
    Team,
}

impl UnitKind {
    /// The word that is stored and told.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Organization => "organization",
            Self::Team => "team",
        }
    }
}

/// A sub-organization or a team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, FromRow)]
pub(crate) struct UnitRow {
    pub(crate) id: UnitId,
    pub(crate) kind: UnitKind,
    pub(crate) parent: Option<UnitId>,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// Somebody belongs to a unit.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(crate) struct UnitMemberRow {
    pub(crate) unit: UnitId,
    pub(crate) user_id: UserId,
    pub(crate) version: i64,
    pub(crate) added_at: DateTime<Utc>,
}
