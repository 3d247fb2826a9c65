//! Roles that a tenant makes for itself, beside the four that each has.

mod entity;
mod error;
mod repo;

use std::collections::HashMap;

use pulse_graphql::{Error, Page};
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError};
use pulse_types::{Caller, OrgId, Permission, Permissions, Role, RoleId};
use serde_json::json;

pub(crate) use entity::RoleRow;
pub(crate) use error::RoleError;

use crate::access::{self, Ending, ROLE};
use crate::membership;
use crate::name::Name;

/// How many an organization has.
const MAX_ROLES: i64 = 100;

/// How long a description may be.
const MAX_DESCRIPTION: usize = 1_000;

/// What a new role is to be.
struct NewRole {
    name: Name,
    description: String,
    permissions: Vec<String>,
}

/// What is to change of a role; `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct RoleChange {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) permissions: Option<Vec<String>>,
    pub(crate) expected_version: Option<i64>,
}

/// Those of these roles that the caller may see.
pub(crate) async fn find(session: &Session, ids: &[RoleId]) -> Result<HashMap<RoleId, RoleRow>, StoreError> {
    let Ok(org) = session.caller().require(&Permission::ROLE_READ) else { return Ok(HashMap::new()) };
    let rows = repo::find_many(session, org, ids).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// A page of the tenant's roles, in the order of their making.
pub(crate) async fn page(session: &Session, page: &Page) -> Result<Vec<RoleRow>, Error<RoleError>> {
    let org = session.caller().require(&Permission::ROLE_READ)?;
    repo::page(session, org, page).await
}

/// How many there are.
pub(crate) async fn count(session: &Session) -> Result<i64, StoreError> {
    match session.caller().org {
        Some(org) => repo::count(session, org).await,
        None => Ok(0),
    }
}

/// Makes a role that gives nothing that the caller does not have.
pub(crate) async fn create(
    session: &Session,
    (name, description, permissions): (&str, Option<String>, &[String]),
    key: Option<String>,
) -> Result<RoleRow, Error<RoleError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::ROLE_MANAGE)?;
    let new = NewRole {
        name: checked_name(name)?,
        description: checked_description(description.unwrap_or_default())?,
        permissions: checked_permissions(caller, permissions, &Permissions::none())?,
    };
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(RoleError::from)?;
    let request = (new.name.as_str(), &new.description, &new.permissions);
    let mut write = match session.write_once("accounts.createRole", key.as_ref(), &request).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: RoleId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            let row = repo::find_many(session, org, &[id]).await?.pop();
            return Ok(row.ok_or(RoleError::NotFound(id))?);
        }
    };
    membership::lock_in_tx(&mut write, org).await?;
    let id = RoleId::new(write.now());
    let row = match repo::insert_in_tx(&mut write, (org, id), &new).await {
        Err(error) if error.is_duplicate_of("roles_name") => return Err(taken(new.name.as_str()).into()),
        row => row?.ok_or(RoleError::TooMany)?,
    };
    write.event(event(EventKind::Created, &row, vec![]));
    write.commit_with(fact("role:create", &row), &json!({ "id": id })).await?;
    Ok(row)
}

/// Changes a role, and with it what all may who have it. What is the same already changes nothing. What it gives from now on
/// that it did not give, the caller must have.
pub(crate) async fn update(
    session: &Session,
    id: RoleId,
    change: RoleChange,
) -> Result<RoleRow, Error<RoleError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::ROLE_MANAGE)?;
    let mut write = session.write().await?;
    membership::lock_in_tx(&mut write, org).await?;
    let old = repo::lock_in_tx(&mut write, (org, id)).await?.ok_or(RoleError::NotFound(id))?;
    if let Some(expected) = change.expected_version.filter(|expected| *expected != old.version) {
        return Err(RoleError::VersionMismatch { expected, actual: old.version }.into());
    }
    let new = changed(caller, &old, change)?;
    if new == old {
        return Ok(old);
    }
    repo::keep_in_tx(&mut write, (org, id), caller.actor()).await?;
    let row = match repo::update_in_tx(&mut write, org, &new).await {
        Err(error) if error.is_duplicate_of("roles_name") => return Err(taken(&new.name).into()),
        row => row?,
    };
    if new.permissions != old.permissions {
        let travels = access::require_role_to_travel_in_tx(&mut write, org, id).await;
        travels.map_err(|error| error.map_client(RoleError::from))?;
    }
    write.event(event(EventKind::Updated, &row, fields(&old, &row)));
    write.commit(fact("role:update", &row)).await?;
    Ok(row)
}

/// Deletes a role, and takes it from all who have it.
pub(crate) async fn delete(session: &Session, id: RoleId) -> Result<(), Error<RoleError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::ROLE_MANAGE)?;
    let mut write = session.write().await?;
    membership::lock_in_tx(&mut write, org).await?;
    let old = repo::lock_in_tx(&mut write, (org, id)).await?.ok_or(RoleError::NotFound(id))?;
    access::end_in_tx(&mut write, org, Ending::Role(id), caller.actor()).await?;
    repo::keep_in_tx(&mut write, (org, id), caller.actor()).await?;
    repo::delete_in_tx(&mut write, (org, id)).await?;
    let gone = RoleRow { version: old.version + 1, ..old };
    write.event(event(EventKind::Deleted, &gone, vec![]));
    write.commit(fact("role:delete", &gone)).await?;
    Ok(())
}

/// What the role of this id gives, as a write sees it that acts in the tenant.
pub(crate) async fn permissions_in_tx(
    write: &mut pulse_store::Write,
    key: (OrgId, RoleId),
) -> Result<Option<Permissions>, StoreError> {
    let found = repo::lock_in_tx(write, key).await?;
    Ok(found.map(|row| row.permissions.into_iter().map(Permission::from).collect()))
}

fn changed(caller: &Caller, old: &RoleRow, change: RoleChange) -> Result<RoleRow, RoleError> {
    let mut new = old.clone();
    if let Some(name) = change.name {
        checked_name(&name)?.as_str().clone_into(&mut new.name);
    }
    if let Some(description) = change.description {
        new.description = checked_description(description)?;
    }
    if let Some(permissions) = change.permissions {
        let had = old.permissions.iter().map(|name| Permission::from(name.clone())).collect();
        new.permissions = checked_permissions(caller, &permissions, &had)?;
    }
    Ok(new)
}

/// The four that each organization has keep their names.
fn checked_name(name: &str) -> Result<Name, RoleError> {
    let name = Name::try_new(name)?;
    if name.as_str().to_lowercase().parse::<Role>().is_ok() {
        return Err(taken(name.as_str()));
    }
    Ok(name)
}

fn checked_description(text: String) -> Result<String, RoleError> {
    match text.chars().count() {
        0..=MAX_DESCRIPTION => Ok(text),
        length => Err(RoleError::Description(length)),
    }
}

/// Known permissions, each once and in order, of which the caller has those that it `had` not.
fn checked_permissions(
    caller: &Caller,
    names: &[String],
    had: &Permissions,
) -> Result<Vec<String>, RoleError> {
    let known: Permissions = names.iter().map(|name| access::known(name)).collect::<Result<_, _>>()?;
    access::require_all_on(caller, known.iter().filter(|permission| !had.contains(permission)), None)?;
    let permissions: Vec<_> = known.iter().map(ToString::to_string).collect();
    if permissions.is_empty() { Err(RoleError::Empty) } else { Ok(permissions) }
}

fn taken(name: &str) -> RoleError {
    RoleError::NameTaken(name.to_owned())
}

fn fields(old: &RoleRow, new: &RoleRow) -> Vec<&'static str> {
    let fields = [
        (old.name != new.name, "name"),
        (old.description != new.description, "description"),
        (old.permissions != new.permissions, "permissions"),
    ];
    fields.into_iter().filter_map(|(differs, field)| differs.then_some(field)).collect()
}

fn fact(action: &'static str, row: &RoleRow) -> AuditFact {
    AuditFact { action, subject: ROLE, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}

fn event(kind: EventKind, row: &RoleRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind,
        subject: ROLE,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({}),
        before: json!(null),
    }
}
