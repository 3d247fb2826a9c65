//! Roles that people and units have, in the whole tenant or in a unit, beside the one of each membership.

mod entity;
mod repo;

use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{
    Caller, OrgId, Permission, Permissions, Refusal, ResourceKind, Role, RoleAssignmentId, RoleId, UnitId,
    UserId,
};
use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use entity::{AssignmentRow, whom};

use crate::access::{self, AccessError, Ending, ROLE_ASSIGNMENT, Which, Whom};
use crate::membership;
use crate::role;
use crate::unit;

/// What is to be given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewAssignment {
    pub(crate) whom: Whom,
    pub(crate) role: Option<RoleId>,
    pub(crate) template: Option<Role>,
    pub(crate) place: Option<UnitId>,
}

/// Which are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct AssignmentFilter {
    pub(crate) whom: Option<Whom>,
    pub(crate) role: Option<RoleId>,
}

/// A page of what is given where the caller may look, in that order.
pub(crate) async fn page(
    session: &Session,
    filter: AssignmentFilter,
    page: &Page,
) -> Result<Vec<AssignmentRow>, Error<AccessError>> {
    let (org, reach) = session.caller().require_some(&Permission::ACCESS_READ, &ResourceKind::UNIT)?;
    repo::page(session, (org, filter, reach), page).await
}

/// How many there are.
pub(crate) async fn count(session: &Session, filter: AssignmentFilter) -> Result<i64, StoreError> {
    match session.caller().require_some(&Permission::ACCESS_READ, &ResourceKind::UNIT) {
        Ok((org, reach)) => repo::count(session, (org, filter, reach)).await,
        Err(_) => Ok(0),
    }
}

/// Gives somebody a role, none of whose permissions the caller lacks there. In a unit it needs the right to give there alone.
pub(crate) async fn create(
    session: &Session,
    new: NewAssignment,
    key: Option<String>,
) -> Result<AssignmentRow, Error<AccessError>> {
    let caller = session.caller();
    let org = require_manager(caller, new.place)?;
    if new.template == Some(Role::Owner) {
        return Err(AccessError::OwnerRole.into());
    }
    if new.role.is_some() == new.template.is_some() {
        return Err(AccessError::OneRole.into());
    }
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(AccessError::from)?;
    let mut write = match session.write_once("accounts.assignRole", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: RoleAssignmentId =
                serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            let row = repo::find(session, (org, id)).await?;
            return Ok(row.ok_or(AccessError::NotFound(id.uuid()))?);
        }
    };
    membership::lock_in_tx(&mut write, org).await?;
    access::require_principal_in_tx(&mut write, org, new.whom).await?;
    if let Some(unit) = new.place {
        access::require_unit_in_tx(&mut write, org, unit).await?;
    }
    let given = given_in_tx(&mut write, org, &new).await?;
    access::require_all_on(caller, given.iter(), new.place.map(unit::resource).as_ref())?;
    let id = RoleAssignmentId::new(write.now());
    let row = match repo::insert_in_tx(&mut write, (org, id), (&new, caller.actor())).await {
        Err(error) if error.is_duplicate_of("role_assignments_once") => {
            return Err(AccessError::Exists.into());
        }
        row => row?.ok_or(AccessError::TooMany)?,
    };
    if new.place.is_some() {
        access::require_to_travel_in_tx(&mut write, org, new.whom).await?;
    }
    write.event(event(EventKind::Created, &row));
    write.commit_with(fact("role:assign", &row, 1), &json!({ "id": id })).await?;
    Ok(row)
}

/// Takes a role away again. Nothing happens to the role of a membership.
pub(crate) async fn delete(session: &Session, id: RoleAssignmentId) -> Result<(), Error<AccessError>> {
    let caller = session.caller();
    let org = access::require_any_manager(caller)?;
    let mut write = session.write().await?;
    membership::lock_in_tx(&mut write, org).await?;
    let row = repo::find_in_tx(&mut write, (org, id)).await?;
    // What is given where the caller may not give is not there to be seen.
    let row = row.filter(|row| require_manager(caller, row.place).is_ok());
    let row = row.ok_or(AccessError::NotFound(id.uuid()))?;
    repo::delete_in_tx(&mut write, (org, Which::One(id)), caller.actor()).await?;
    write.event(event(EventKind::Deleted, &row));
    write.commit(fact("role:unassign", &row, 2)).await?;
    Ok(())
}

/// Ends what is given to such, or there, and tells of each.
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

/// Who gives roles there.
fn require_manager(caller: &Caller, place: Option<UnitId>) -> Result<OrgId, Refusal> {
    match place {
        None => caller.require(&Permission::ACCESS_MANAGE),
        Some(place) => caller.require_on(&Permission::ACCESS_MANAGE, &unit::resource(place)),
    }
}

/// What the role gives.
async fn given_in_tx(
    write: &mut Write,
    org: OrgId,
    new: &NewAssignment,
) -> Result<Permissions, Error<AccessError>> {
    match (new.role, new.template) {
        (Some(role), _) => {
            let found = role::permissions_in_tx(write, (org, role)).await?;
            Ok(found.ok_or(AccessError::NoSuchRole(role))?)
        }
        (None, template) => Ok(template.map(Role::permissions).unwrap_or_default()),
    }
}

fn fact(action: &'static str, row: &AssignmentRow, version: i64) -> AuditFact {
    let key = Some(row.id.uuid());
    AuditFact { action, subject: ROLE_ASSIGNMENT, key, version: Some(version), items: 1 }
}

/// Who keeps what somebody may routes by the principal.
fn event(kind: EventKind, row: &AssignmentRow) -> Event {
    let version = if kind == EventKind::Deleted { 2 } else { 1 };
    let mut attributes = json!({ "role": row.role, "within": row.place });
    attributes[row.whom.kind()] = Value::from(row.whom.id().to_string());
    Event {
        kind,
        subject: ROLE_ASSIGNMENT,
        key: row.id.uuid(),
        version,
        changed: vec![],
        attributes,
        before: json!(null),
    }
}
