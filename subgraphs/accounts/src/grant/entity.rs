//! Rows of grants.

use chrono::{DateTime, Utc};
use pulse_types::{Effect, GrantId, Permission, Resource, UserId};
use sqlx::postgres::PgRow;
use sqlx::{Error, FromRow, Row};

use crate::access::Whom;
use crate::role_assignment::whom;

/// A permission that is given to somebody, or withheld.
#[derive(Debug, Clone)]
pub(crate) struct GrantRow {
    pub(crate) id: GrantId,
    pub(crate) whom: Whom,
    pub(crate) effect: Effect,
    pub(crate) permission: Permission,
    pub(crate) resource: Option<Resource>,
    pub(crate) giver: Option<UserId>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for GrantRow {
    fn from_row(row: &PgRow) -> Result<Self, Error> {
        let (effect, permission): (String, String) = (row.try_get("effect")?, row.try_get("permission")?);
        let resource: Option<String> = row.try_get("resource")?;
        let resource = resource.map(|text| text.parse::<Resource>()).transpose();
        Ok(Self {
            id: row.try_get("id")?,
            whom: whom(row)?,
            effect: if effect == "deny" { Effect::Deny } else { Effect::Allow },
            permission: permission.into(),
            resource: resource.map_err(|error| Error::Decode(Box::new(error)))?,
            giver: row.try_get("giver")?,
            expires_at: row.try_get("expires_at")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
