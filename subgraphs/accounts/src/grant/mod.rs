//! Single permissions that are given to people, units and programs, or withheld: in the whole tenant, in a unit, or on one thing.

mod entity;
mod repo;

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{
    Caller, Effect, GrantId, OrgId, Permission, Refusal, Resource, ResourceKind, UnitId, UserId,
};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use entity::GrantRow;

use crate::access::{self, AccessError, Ending, GRANT, Which, Whom};
use crate::membership;

/// What is to be given, or withheld.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewGrant {
    pub(crate) whom: Whom,
    pub(crate) effect: Effect,
    pub(crate) permission: Permission,
    pub(crate) resource: Option<Resource>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// Which are asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct GrantFilter {
    pub(crate) whom: Option<Whom>,
    pub(crate) resource: Option<Resource>,
}

/// A page of grants that hold where the caller may look, in the order of their giving; those that have ended are among them until somebody gives another one.
pub(crate) async fn page(
    session: &Session,
    filter: &GrantFilter,
    page: &Page,
) -> Result<Vec<GrantRow>, Error<AccessError>> {
    let (org, reach) = session.caller().require_some(&Permission::ACCESS_READ, &ResourceKind::UNIT)?;
    repo::page(session, (org, filter, reach), page).await
}

/// How many there are.
pub(crate) async fn count(session: &Session, filter: &GrantFilter) -> Result<i64, StoreError> {
    match session.caller().require_some(&Permission::ACCESS_READ, &ResourceKind::UNIT) {
        Ok((org, reach)) => repo::count(session, (org, filter, reach)).await,
        Err(_) => Ok(0),
    }
}

/// Gives what the caller has, or withholds it. On a single thing it needs the right to give there alone.
pub(crate) async fn create(
    session: &Session,
    new: NewGrant,
    key: Option<String>,
) -> Result<GrantRow, Error<AccessError>> {
    let caller = session.caller();
    let org = require_manager(caller, new.resource.as_ref())?;
    check(&new, session.store().clock().now())?;
    if new.effect == Effect::Allow {
        access::require_all_on(caller, [&new.permission], new.resource.as_ref())?;
    }
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(AccessError::from)?;
    let mut write = match session.write_once("accounts.grantAccess", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: GrantId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            let row = repo::find(session, (org, id)).await?;
            return Ok(row.ok_or(AccessError::NotFound(id.uuid()))?);
        }
    };
    membership::lock_in_tx(&mut write, org).await?;
    access::require_principal_in_tx(&mut write, org, new.whom).await?;
    if let Some(unit) = new.resource.as_ref().and_then(unit_of) {
        access::require_unit_in_tx(&mut write, org, unit).await?;
    }
    let by_owner = caller.require(&Permission::ORGANIZATION_MANAGE).is_ok();
    access::require_right_to_narrow_in_tx(&mut write, org, (new.whom, new.effect, by_owner)).await?;
    repo::delete_expired_in_tx(&mut write, org).await?;
    let id = GrantId::new(write.now());
    let row = match repo::insert_in_tx(&mut write, (org, id), (&new, caller.actor(), by_owner)).await {
        Err(error) if error.is_duplicate_of("grants_once") => return Err(AccessError::Exists.into()),
        row => row?.ok_or(AccessError::TooMany)?,
    };
    if new.resource.is_some() {
        access::require_to_travel_in_tx(&mut write, org, new.whom).await?;
    }
    write.event(event(EventKind::Created, &row));
    let action = if new.effect == Effect::Deny { "access:deny" } else { "access:grant" };
    write.commit_with(fact(action, &row, 1), &json!({ "id": id })).await?;
    Ok(row)
}

/// Takes back what was given or withheld. Whoever takes back what was withheld gives, and must have it.
pub(crate) async fn delete(session: &Session, id: GrantId) -> Result<(), Error<AccessError>> {
    let caller = session.caller();
    let org = access::require_any_manager(caller)?;
    let mut write = session.write().await?;
    membership::lock_in_tx(&mut write, org).await?;
    let row = repo::find_in_tx(&mut write, (org, id)).await?;
    let row = row.filter(|row| require_manager(caller, row.resource.as_ref()).is_ok());
    let row = row.ok_or(AccessError::NotFound(id.uuid()))?;
    if row.effect == Effect::Deny {
        access::require_all_on(caller, [&row.permission], row.resource.as_ref())?;
    }
    repo::delete_in_tx(&mut write, (org, Which::One(id)), caller.actor()).await?;
    write.event(event(EventKind::Deleted, &row));
    write.commit(fact("access:revoke", &row, 2)).await?;
    Ok(())
}

/// Ends what is said of such, or there, and tells of each.
pub(crate) async fn end_in_tx(
    write: &mut Write,
    org: OrgId,
    ending: Ending<'_>,
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    for row in repo::delete_in_tx(write, (org, Which::All(ending)), actor).await? {
        write.event(event(EventKind::Deleted, &row));
    }
    Ok(())
}

/// What can be seen without asking the database.
fn check(new: &NewGrant, now: DateTime<Utc>) -> Result<(), AccessError> {
    let NewGrant { whom, effect, permission, resource, expires_at } = new;
    if expires_at.is_some_and(|end| end <= now) {
        return Err(AccessError::Expired);
    }
    match resource {
        None if matches!(whom, Whom::Machine(_)) && *effect == Effect::Allow => {
            Err(AccessError::ProgramInTenant)
        }
        Some(thing) if !thing.kind().takes(permission) => {
            Err(AccessError::WithoutMeaning(permission.clone(), thing.kind().as_str().to_owned()))
        }
        None | Some(_) => Ok(()),
    }
}

/// Who gives there: in a unit those who may there, else those who may in the tenant.
fn require_manager(caller: &Caller, resource: Option<&Resource>) -> Result<OrgId, Refusal> {
    match resource.filter(|thing| *thing.kind() == ResourceKind::UNIT) {
        None => caller.require(&Permission::ACCESS_MANAGE),
        Some(unit) => caller.require_on(&Permission::ACCESS_MANAGE, unit),
    }
}

fn unit_of(resource: &Resource) -> Option<UnitId> {
    (*resource.kind() == ResourceKind::UNIT).then(|| UnitId::from_uuid(resource.id()))
}

fn fact(action: &'static str, row: &GrantRow, version: i64) -> AuditFact {
    AuditFact { action, subject: GRANT, key: Some(row.id.uuid()), version: Some(version), items: 1 }
}

/// Who keeps what somebody may routes by the principal.
fn event(kind: EventKind, row: &GrantRow) -> Event {
    let version = if kind == EventKind::Deleted { 2 } else { 1 };
    let mut attributes = json!({ "effect": row.effect });
    attributes[row.whom.kind()] = Value::from(row.whom.id().to_string());
    Event {
        kind,
        subject: GRANT,
        key: row.id.uuid(),
        version,
        changed: vec![],
        attributes,
        before: json!(null),
    }
}
