//! Rows of roles that are given.

use chrono::{DateTime, Utc};
use pulse_types::{Role, RoleAssignmentId, RoleId, UnitId, UserId};
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::{Error, Row};
use uuid::Uuid;

use crate::access::Whom;
use crate::organization::StoredRole;

/// A role that somebody has, beside the one of the membership.
#[derive(Debug, Clone)]
pub(crate) struct AssignmentRow {
    pub(crate) id: RoleAssignmentId,
    pub(crate) whom: Whom,
    pub(crate) role: Option<RoleId>,
    pub(crate) template: Option<Role>,
    pub(crate) place: Option<UnitId>,
    pub(crate) giver: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
}

impl FromRow<'_, PgRow> for AssignmentRow {
    fn from_row(row: &PgRow) -> Result<Self, Error> {
        let decode = |error: pulse_types::UnknownRole| Error::Decode(Box::new(error));
        let template: Option<String> = row.try_get("template")?;
        let template = template.map(StoredRole::try_from).transpose().map_err(decode)?;
        Ok(Self {
            id: row.try_get("id")?,
            whom: whom(row)?,
            role: row.try_get("role")?,
            template: template.map(|template| template.0),
            place: row.try_get("place")?,
            giver: row.try_get("giver")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// Whom a row is for.
pub(crate) fn whom(row: &PgRow) -> Result<Whom, Error> {
    let (kind, id): (String, Uuid) = (row.try_get("principal_kind")?, row.try_get("principal")?);
    Whom::stored(&kind, id).ok_or_else(|| Error::Decode(format!("{kind:?} is no kind of principal").into()))
}
