//! Who belongs to units: members of the tenant, each to any number of units up to a limit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use pulse_graphql::{Cursor, Error, Page, PageError};
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError, Write};
use pulse_types::{Caller, OrgId, Permission, Refusal, Tag, UnitId, UserId};
use serde_json::json;

use super::entity::UnitMemberRow;
use super::repo::{self, Leaving};
use super::{MAX_AT_ONCE, MAX_LEVELS, MAX_PER_PERSON, Tree, UnitError, resource};
use crate::access::{Joining, require_right_to_join_in_tx};
use crate::membership;

/// Its keys are the people; the unit is among the attributes.
pub(crate) const MEMBER: &str = "accounts.unit_member";

/// Of whom members are asked for: a unit, alone or with those inside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Inside {
    pub(super) units: Arc<[UnitId]>,
}

/// One page of each unit's members.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Slice {
    pub(super) backwards: bool,
    pub(super) limit: i64,
    pub(super) from: Option<(DateTime<Utc>, UserId)>,
}

/// Somebody who belongs to a unit, or to one inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListedMember {
    pub(crate) user_id: UserId,
    pub(crate) added_at: DateTime<Utc>,
}

impl Slice {
    /// What the page asks for.
    pub(crate) fn try_new(page: &Page) -> Result<Self, PageError> {
        let from = page.from.as_ref().map(Cursor::values).transpose()?;
        Ok(Self { backwards: page.backwards, limit: page.limit(), from })
    }
}

impl ListedMember {
    /// The cursor at it.
    pub(crate) fn cursor(&self) -> Cursor {
        Cursor::new(&(self.added_at, self.user_id))
    }
}

/// The unit, and `with_inner` those inside it, whose members the caller may see. Needs `member:read` on the unit.
pub(crate) fn inside(
    caller: &Caller,
    tree: &Tree,
    (id, with_inner): (UnitId, bool),
) -> Result<Inside, Refusal> {
    let may_see = |id| caller.require_on(&Permission::MEMBER_READ, &resource(id));
    may_see(id)?;
    let inner = tree.within(id, if with_inner { MAX_LEVELS } else { 0 }).map(|row| row.id);
    let inner = inner.filter(|id| may_see(*id).is_ok());
    Ok(Inside { units: [id].into_iter().chain(inner).collect() })
}

/// A page of the members of each of these, in the order of being added and in the page's direction.
pub(crate) async fn pages(
    session: &Session,
    keys: Vec<(Inside, Slice)>,
) -> Result<HashMap<(Inside, Slice), Vec<ListedMember>>, StoreError> {
    let Some(org) = session.caller().org else { return Ok(HashMap::new()) };
    let mut by_slice: HashMap<Slice, Vec<Inside>> = HashMap::new();
    for (inside, slice) in keys {
        tag(session, &inside);
        by_slice.entry(slice).or_default().push(inside);
    }
    let mut pages: HashMap<_, Vec<_>> = HashMap::new();
    for (slice, of) in by_slice {
        for row in repo::members(session, org, &slice, &of.iter().collect::<Vec<_>>()).await? {
            let inside = usize::try_from(row.page).ok().and_then(|page| of.get(page));
            let inside = inside.expect("a page is one of those that were asked for").clone();
            let member = ListedMember { user_id: row.user_id, added_at: row.added_at };
            pages.entry((inside, slice.clone())).or_default().push(member);
        }
    }
    Ok(pages)
}

/// How many people belong to each of these.
pub(crate) async fn count_members(
    session: &Session,
    of: Vec<Inside>,
) -> Result<HashMap<Inside, i64>, StoreError> {
    let Some(org) = session.caller().org else { return Ok(HashMap::new()) };
    for inside in &of {
        tag(session, inside);
    }
    let counts = repo::count_members(session, org, &of.iter().collect::<Vec<_>>()).await?;
    let found = counts.into_iter().filter_map(|(page, count)| {
        let inside = usize::try_from(page).ok().and_then(|page| of.get(page))?;
        Some((inside.clone(), count))
    });
    Ok(found.collect())
}

/// To which units each of these people belongs, whatever the caller may see of them.
pub(crate) async fn of_people(
    session: &Session,
    people: &[UserId],
) -> Result<HashMap<UserId, Vec<UnitMemberRow>>, StoreError> {
    let Some(org) = session.caller().org else { return Ok(HashMap::new()) };
    session.tag_all(people.iter().map(|user| Tag::list(MEMBER).with("user", user.to_string())));
    let mut of: HashMap<_, Vec<_>> = HashMap::new();
    for row in repo::of_people(session, org, people).await? {
        of.entry(row.user_id).or_default().push(row);
    }
    Ok(of)
}

fn tag(session: &Session, inside: &Inside) {
    session.tag_all(inside.units.iter().map(|unit| Tag::list(MEMBER).with("unit", unit.to_string())));
}

/// Adds members of the tenant to a unit. Who belongs to it already stays as they are. Those who were added, and the units.
pub(crate) async fn add_members(
    session: &Session,
    unit: UnitId,
    people: &[UserId],
) -> Result<(Tree, Vec<UserId>), Error<UnitError>> {
    let org = session.caller().require_on(&Permission::UNIT_MANAGE, &resource(unit))?;
    let people = distinct(people)?;
    let mut write = session.write().await?;
    let tree = lock_in_tx(&mut write, org, unit).await?;
    require_right_to_join_in_tx(&mut write, (org, session.caller()), Joining::In(&[unit]))
        .await
        .map_err(|error| error.map_client(UnitError::from))?;
    let members: HashSet<_> =
        repo::members_of_tenant_in_tx(&mut write, org, &people).await?.into_iter().collect();
    if let Some(stranger) = people.iter().find(|user| !members.contains(user)) {
        return Err(UnitError::NoMember(*stranger).into());
    }
    let rows = repo::insert_members_in_tx(&mut write, (org, unit), &people).await?;
    if let Some(user) = repo::overcommitted_in_tx(&mut write, org, (&people, MAX_PER_PERSON)).await? {
        return Err(UnitError::Overcommitted(user).into());
    }
    for row in &rows {
        write.event(event(EventKind::Created, row, row.version));
    }
    commit(write, "unit:add_member", rows.iter().map(|row| (row.user_id, row.version))).await?;
    Ok((tree, rows.into_iter().map(|row| row.user_id).collect()))
}

/// Takes people out of a unit; those who are not in it are passed over. Those who were removed, and the units.
pub(crate) async fn remove_members(
    session: &Session,
    unit: UnitId,
    people: &[UserId],
) -> Result<(Tree, Vec<UserId>), Error<UnitError>> {
    let caller = session.caller();
    let org = caller.require_on(&Permission::UNIT_MANAGE, &resource(unit))?;
    let people = distinct(people)?;
    let mut write = session.write().await?;
    let tree = lock_in_tx(&mut write, org, unit).await?;
    require_right_to_join_in_tx(&mut write, (org, caller), Joining::Out(&[unit]))
        .await
        .map_err(|error| error.map_client(UnitError::from))?;
    let rows = end_in_tx(&mut write, org, Leaving::Unit(unit, &people), caller.actor()).await?;
    commit(write, "unit:remove_member", rows.iter().map(|row| (row.user_id, row.version + 1))).await?;
    Ok((tree, rows.into_iter().map(|row| row.user_id).collect()))
}

/// Adds somebody who has just become a member of the tenant, or is one, to units that others have chosen, in a write that has the
/// tenant's members for itself. Those that would be too many are left out: nobody can be told.
pub(crate) async fn join_in_tx(
    write: &mut Write,
    (org, user): (OrgId, UserId),
    units: impl IntoIterator<Item = UnitId>,
) -> Result<(), StoreError> {
    let left = MAX_PER_PERSON - repo::count_of_person_in_tx(write, org, user).await?;
    for unit in units.into_iter().take(usize::try_from(left).unwrap_or_default()) {
        for row in repo::insert_members_in_tx(write, (org, unit), &[user]).await? {
            write.event(event(EventKind::Created, &row, row.version));
        }
    }
    Ok(())
}

/// Takes somebody who leaves the tenant out of all of its units, in a write that has the tenant's members for itself.
pub(crate) async fn leave_all_in_tx(
    write: &mut Write,
    (org, user): (OrgId, UserId),
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    end_in_tx(write, org, Leaving::Everything(user), actor).await.map(drop)
}

/// Ends memberships of units, and tells of each.
pub(super) async fn end_in_tx(
    write: &mut Write,
    org: OrgId,
    leaving: Leaving<'_>,
    actor: Option<UserId>,
) -> Result<Vec<UnitMemberRow>, StoreError> {
    let rows = repo::delete_members_in_tx(write, org, leaving, actor).await?;
    for row in &rows {
        write.event(event(EventKind::Deleted, row, row.version + 1));
    }
    Ok(rows)
}

/// Lets nobody else change the tenant's units, or its members, until this write ends; the units, among which is this one.
async fn lock_in_tx(write: &mut Write, org: OrgId, unit: UnitId) -> Result<Tree, Error<UnitError>> {
    membership::lock_in_tx(write, org).await?;
    let tree = Tree::from(repo::tree_in_tx(write, org).await?);
    tree.get(unit).ok_or(UnitError::NotFound(unit))?;
    Ok(tree)
}

/// Commits with a fact for each person; nothing where nothing has changed.
async fn commit(
    mut write: Write,
    action: &'static str,
    people: impl Iterator<Item = (UserId, i64)>,
) -> Result<(), StoreError> {
    let mut facts: Vec<_> = people
        .map(|(user, version)| {
            let (key, version) = (Some(user.uuid()), Some(version));
            AuditFact { action, subject: MEMBER, key, version, items: 1 }
        })
        .collect();
    let Some(last) = facts.pop() else { return Ok(()) };
    for fact in facts {
        write.audit(fact);
    }
    write.commit(last).await
}

fn distinct(people: &[UserId]) -> Result<Vec<UserId>, UnitError> {
    if !(1..=MAX_AT_ONCE).contains(&people.len()) {
        return Err(UnitError::People(people.len()));
    }
    let mut seen = HashSet::new();
    Ok(people.iter().copied().filter(|user| seen.insert(*user)).collect())
}

fn event(kind: EventKind, row: &UnitMemberRow, version: i64) -> Event {
    Event {
        kind,
        subject: MEMBER,
        key: row.user_id.uuid(),
        version,
        changed: vec![],
        attributes: json!({ "unit": row.unit, "user": row.user_id }),
        before: json!(null),
    }
}
