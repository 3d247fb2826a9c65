//! Overrides: changes that are let through although they break somebody, with a reason and for a while.

mod entity;
mod error;
pub(crate) mod repo;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::Error;
use pulse_schema::ChangeCode;
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session};
use pulse_types::{Permission, SchemaOverrideId};
use serde::Serialize;
use serde_json::json;

pub(crate) use entity::OverrideRow;
pub(crate) use error::OverrideError;

use crate::target::check_environment;

/// What events of overrides are about.
pub(crate) const SUBJECT: &str = "registry.override";

/// So many an environment may have.
const MOST: i64 = 500;

/// So long one lets through at most.
const LONGEST: TimeDelta = TimeDelta::days(366);

/// What a new override is made of.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewOverride {
    pub(crate) environment: String,
    pub(crate) code: Option<String>,
    pub(crate) coordinate: String,
    pub(crate) reason: String,
    pub(crate) expires_at: DateTime<Utc>,
}

/// Lets a change through from now on.
pub(crate) async fn create(
    session: &Session,
    new: NewOverride,
    key: Option<String>,
) -> Result<OverrideRow, Error<OverrideError>> {
    let org = session.caller().require(&Permission::SCHEMA_MANAGE)?;
    new.check(session.store().clock().now())?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(OverrideError::from)?;
    let mut write = match session.write_once("registry.createSchemaOverride", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: SchemaOverrideId =
                serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            return Ok(repo::find(session, id).await?.ok_or(OverrideError::NotFound(id))?);
        }
    };
    let id = SchemaOverrideId::new(write.now());
    let actor = session.caller().actor();
    let row = repo::insert_in_tx(&mut write, (org, id), &new, actor, MOST).await?;
    let row = row.ok_or(OverrideError::TooMany(MOST))?;
    write.event(event(EventKind::Created, &row));
    write.commit_with(fact("schema:create_override", &row), &json!({ "id": id })).await?;
    Ok(row)
}

/// Lets it through no more.
pub(crate) async fn delete(
    session: &Session,
    id: SchemaOverrideId,
) -> Result<SchemaOverrideId, Error<OverrideError>> {
    session.caller().require(&Permission::SCHEMA_MANAGE)?;
    let mut write = session.write().await?;
    let row = repo::delete_in_tx(&mut write, id, session.caller().actor()).await?;
    let row = row.ok_or(OverrideError::NotFound(id))?;
    write.event(event(EventKind::Deleted, &OverrideRow { version: row.version + 1, ..row.clone() }));
    write.commit(fact("schema:delete_override", &row)).await?;
    Ok(id)
}

impl NewOverride {
    fn check(&self, now: DateTime<Utc>) -> Result<(), OverrideError> {
        check_environment(&self.environment)?;
        if !(1..=300).contains(&self.coordinate.chars().count()) {
            return Err(OverrideError::Coordinate);
        }
        let is_known = |code: &str| ChangeCode::ALL.iter().any(|known| known.as_str() == code);
        if let Some(code) = self.code.as_deref().filter(|code| !is_known(code)) {
            return Err(OverrideError::UnknownCode(code.chars().take(64).collect()));
        }
        match self.reason.chars().count() {
            1..=1000 => {}
            length => return Err(OverrideError::ReasonLength(length)),
        }
        if self.expires_at <= now || self.expires_at > now + LONGEST {
            return Err(OverrideError::Expiry);
        }
        Ok(())
    }
}

fn event(kind: EventKind, row: &OverrideRow) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed: vec![],
        attributes: json!({ "environment": row.environment }),
        before: json!(null),
    }
}

fn fact(action: &'static str, row: &OverrideRow) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}
