//! Making, renaming, moving and deleting units. Whoever does one of these has the tenant's units for itself until it is done, so
//! that what is seen to hold still holds when it is written.

use pulse_graphql::Error;
use pulse_store::{AuditFact, Begun, EventKind, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{Caller, OrgId, Permission, Refusal, UnitId};
use serde_json::json;

use super::entity::{UnitKind, UnitRow};
use super::members::end_in_tx;
use super::{MAX_ENDED, MAX_LEVELS, MAX_PER_ORGANIZATION, SUBJECT, Tree, UnitError, event, repo, resource};
use crate::access::{self, Ending, Joining, require_right_to_join_in_tx};
use crate::membership;
use crate::name::Name;

/// A unit to be made.
pub(crate) struct NewUnit {
    pub(crate) kind: UnitKind,
    pub(crate) name: String,
    pub(crate) parent: Option<UnitId>,
}

/// A unit to be moved.
pub(crate) struct Move {
    pub(crate) id: UnitId,
    /// Where to; `None` directly into the tenant.
    pub(crate) parent: Option<UnitId>,
    pub(crate) expected_version: Option<i64>,
}

/// What was deleted.
pub(crate) struct Deleted {
    pub(crate) units: Vec<UnitId>,
    /// How many memberships have ended.
    pub(crate) memberships: usize,
}

/// Makes a unit; the tree with it. Needs `unit:manage` where it is put.
pub(crate) async fn create(
    session: &Session,
    new: NewUnit,
    key: Option<String>,
) -> Result<(Tree, UnitId), Error<UnitError>> {
    let NewUnit { kind, name, parent } = new;
    let org = require_inside(session.caller(), parent)?;
    let name = Name::try_new(&name).map_err(UnitError::from)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(UnitError::from)?;
    let request = (kind, &name, parent);
    let mut write = match session.write_once("accounts.createUnit", key.as_ref(), &request).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: UnitId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            let tree = Tree::from(repo::tree(session, org).await?);
            tree.get(id).ok_or(UnitError::NotFound(id))?;
            return Ok((tree, id));
        }
    };
    let tree = lock_in_tx(&mut write, org).await?;
    require_room(&tree, parent, 1)?;
    if tree.len() >= MAX_PER_ORGANIZATION {
        return Err(UnitError::TooMany.into());
    }
    let now = write.now();
    let (id, name) = (UnitId::new(now), name.as_str().to_owned());
    let row = UnitRow { id, kind, parent, name, version: 1, created_at: now, updated_at: now };
    let row = unless_taken(&row.name, repo::insert_in_tx(&mut write, org, &row).await)?;
    write.event(event(EventKind::Created, &row, None, vec!["kind", "name", "parent"]));
    write.commit_with(fact("unit:create", &row), &json!({ "id": id })).await?;
    Ok((tree.with(row), id))
}

/// Gives a unit another name; the tree with it. The same name changes nothing.
pub(crate) async fn rename(
    session: &Session,
    id: UnitId,
    (name, expected): (&str, Option<i64>),
) -> Result<Tree, Error<UnitError>> {
    let caller = session.caller();
    let org = caller.require_on(&Permission::UNIT_MANAGE, &resource(id))?;
    let name = Name::try_new(name).map_err(UnitError::from)?;
    let mut write = session.write().await?;
    let tree = lock_in_tx(&mut write, org).await?;
    let old = expect(&tree, id, expected)?;
    if old.name == name.as_str() {
        return Ok(tree);
    }
    let new = UnitRow { name: name.as_str().to_owned(), ..old.clone() };
    let row = repo::update_in_tx(&mut write, org, &new, caller.actor()).await;
    let row = unless_taken(&new.name, row)?;
    write.event(event(EventKind::Updated, &row, Some(old), vec!["name"]));
    write.commit(fact("unit:update", &row)).await?;
    Ok(tree.with(row))
}

/// Puts a unit, with all that is inside it, into another place; the tree with it. Needs `unit:manage` on it and on both places:
/// who may what in it is different from then on.
pub(crate) async fn move_to(session: &Session, to: Move) -> Result<Tree, Error<UnitError>> {
    let Move { id, parent, expected_version } = to;
    let caller = session.caller();
    let org = caller.require_on(&Permission::UNIT_MANAGE, &resource(id))?;
    require_inside(caller, parent)?;
    let mut write = session.write().await?;
    let tree = lock_in_tx(&mut write, org).await?;
    let old = expect(&tree, id, expected_version)?;
    require_inside(caller, old.parent)?;
    if old.parent == parent {
        return Ok(tree);
    }
    if parent.is_some_and(|parent| parent == id || tree.within(id, MAX_LEVELS).any(|row| row.id == parent)) {
        return Err(UnitError::InItself.into());
    }
    require_room(&tree, parent, tree.height(id))?;
    let joining = Joining::Over { unit: id, from: old.parent, to: parent };
    require_right_to_join_in_tx(&mut write, (org, caller), joining)
        .await
        .map_err(|error| error.map_client(UnitError::from))?;
    let new = UnitRow { parent, ..old.clone() };
    let row = unless_taken(&old.name, repo::update_in_tx(&mut write, org, &new, caller.actor()).await)?;
    write.event(event(EventKind::Updated, &row, Some(old), vec!["parent"]));
    write.commit(fact("unit:move", &row)).await?;
    Ok(tree.with(row))
}

/// Deletes a unit, and with `recursive` all that is inside it. Who belongs to them stays a member of the tenant.
pub(crate) async fn delete(
    session: &Session,
    id: UnitId,
    (recursive, expected): (bool, Option<i64>),
) -> Result<Deleted, Error<UnitError>> {
    let caller = session.caller();
    let org = caller.require_on(&Permission::UNIT_MANAGE, &resource(id))?;
    let mut write = session.write().await?;
    let tree = lock_in_tx(&mut write, org).await?;
    let top = expect(&tree, id, expected)?;
    let rows: Vec<_> = [top].into_iter().chain(tree.within(id, MAX_LEVELS)).collect();
    let units: Vec<UnitId> = rows.iter().map(|row| row.id).collect();
    let memberships = repo::count_in_tx(&mut write, org, &units).await?;
    if rows.len() > 1 && !recursive {
        let teams = rows[1..].iter().filter(|row| row.kind == UnitKind::Team).count();
        return Err(UnitError::NotEmpty { organizations: rows.len() - 1 - teams, teams, memberships }.into());
    }
    for unit in &units {
        caller.require_on(&Permission::UNIT_MANAGE, &resource(*unit))?;
    }
    require_right_to_join_in_tx(&mut write, (org, caller), Joining::Out(&units))
        .await
        .map_err(|error| error.map_client(UnitError::from))?;
    if memberships > MAX_ENDED {
        return Err(UnitError::TooMuch(memberships).into());
    }
    let ended = end_in_tx(&mut write, org, repo::Leaving::Units(&units), caller.actor()).await?;
    access::end_in_tx(&mut write, org, Ending::Units(&units), caller.actor()).await?;
    repo::delete_in_tx(&mut write, org, &units, caller.actor()).await?;
    for row in &rows {
        let gone = UnitRow { version: row.version + 1, ..(*row).clone() };
        write.event(event(EventKind::Deleted, &gone, None, vec![]));
    }
    let items = i32::try_from(units.len()).unwrap_or(i32::MAX);
    let version = Some(top.version + 1);
    write.commit(AuditFact { version, items, ..fact("unit:delete", top) }).await?;
    Ok(Deleted { units, memberships: ended.len() })
}

/// The tenant, if the caller may change what is directly in this unit, or in the tenant.
fn require_inside(caller: &Caller, unit: Option<UnitId>) -> Result<OrgId, Refusal> {
    match unit {
        Some(id) => caller.require_on(&Permission::UNIT_MANAGE, &resource(id)),
        None => caller.require(&Permission::UNIT_MANAGE),
    }
}

/// Lets nobody else change the tenant's units, or its members, until this write ends; the units.
async fn lock_in_tx(write: &mut Write, org: OrgId) -> Result<Tree, StoreError> {
    membership::lock_in_tx(write, org).await?;
    Ok(repo::tree_in_tx(write, org).await?.into())
}

/// The unit, in the version that the caller has last read if it says so.
fn expect(tree: &Tree, id: UnitId, expected: Option<i64>) -> Result<&UnitRow, UnitError> {
    let row = tree.get(id).ok_or(UnitError::NotFound(id))?;
    match expected.filter(|expected| *expected != row.version) {
        Some(expected) => Err(UnitError::VersionMismatch { expected, actual: row.version }),
        None => Ok(row),
    }
}

/// Whether something of so many levels can be put there.
fn require_room(tree: &Tree, parent: Option<UnitId>, levels: usize) -> Result<(), UnitError> {
    let Some(id) = parent else { return Ok(()) };
    let row = tree.get(id).ok_or(UnitError::NoParent(id))?;
    if row.kind == UnitKind::Team {
        return Err(UnitError::InTeam);
    }
    if tree.level(id) + levels > MAX_LEVELS { Err(UnitError::TooDeep) } else { Ok(()) }
}

fn unless_taken(name: &str, row: Result<UnitRow, StoreError>) -> Result<UnitRow, Error<UnitError>> {
    match row {
        Err(error) if error.is_duplicate_of("units_name") => {
            Err(UnitError::NameTaken(name.to_owned()).into())
        }
        row => Ok(row?),
    }
}

fn fact(action: &'static str, row: &UnitRow) -> AuditFact {
    let (key, version) = (Some(row.id.uuid()), Some(row.version));
    AuditFact { action, subject: SUBJECT, key, version, items: 1 }
}
