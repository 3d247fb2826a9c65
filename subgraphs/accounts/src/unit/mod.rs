//! Units: the sub-organizations and teams inside a tenant, a tree, and who belongs to them. They are walled off from each other
//! by rights on units alone, which hold for all that is inside.

mod change;
mod entity;
mod error;
mod members;
mod repo;
mod tree;

use std::collections::HashMap;

use pulse_graphql::{Cursor, Page, PageError};
use pulse_store::{Event, EventKind, Session, StoreError};
use pulse_types::{OrgId, Resource, ResourceKind, Tag, UnitId};
use serde_json::{Value, json};

pub(crate) use change::{Move, NewUnit, create, delete, move_to, rename};
pub(crate) use entity::{UnitKind, UnitMemberRow, UnitRow};
pub(crate) use error::{UnitError, UnitsError};
pub(crate) use members::{
    Inside, ListedMember, MEMBER, Slice, add_members, count_members, inside, join_in_tx, leave_all_in_tx,
    of_people, pages, remove_members,
};
pub(crate) use tree::Tree;

pub(crate) const SUBJECT: &str = "accounts.unit";

/// How many units a tenant has at most: the tree is read as a whole.
pub(crate) const MAX_PER_ORGANIZATION: usize = 1_000;

/// How many levels of them there are at most.
pub(crate) const MAX_LEVELS: usize = 8;

/// To how many a person belongs at most.
pub(crate) const MAX_PER_PERSON: i64 = 100;

/// How many people are added or removed at once.
pub(crate) const MAX_AT_ONCE: usize = 100;

/// How many memberships end with what is deleted at once: there is an event for each.
pub(crate) const MAX_ENDED: i64 = 10_000;

/// The units of these tenants, of which the caller acts in one, whatever it may see of them.
pub(crate) async fn trees(session: &Session, orgs: Vec<OrgId>) -> Result<HashMap<OrgId, Tree>, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    let mut trees = HashMap::with_capacity(orgs.len());
    for org in orgs {
        trees.insert(org, repo::tree(session, org).await?.into());
    }
    Ok(trees)
}

/// What rights on the unit are rights on.
pub(crate) fn resource(id: UnitId) -> Resource {
    Resource::new(ResourceKind::UNIT, id.uuid())
}

/// The cursor at a unit in such a list.
pub(crate) fn cursor(tree: &Tree, row: &UnitRow) -> Cursor {
    Cursor::new(&(tree.path(row),))
}

/// The part of a list in the tree's order that a page asks for.
pub(crate) fn slice(tree: &Tree, rows: Vec<UnitRow>, page: &Page) -> Result<Vec<UnitRow>, PageError> {
    let from = page.from.as_ref().map(Cursor::values::<(Vec<String>,)>).transpose()?;
    let is_beyond = |row: &UnitRow| match &from {
        None => true,
        Some((last,)) if page.backwards => tree.path(row) < *last,
        Some((last,)) => tree.path(row) > *last,
    };
    let limit = page.size as usize + 1;
    let beyond = rows.into_iter().filter(is_beyond);
    if page.backwards {
        let mut rows: Vec<_> = beyond.collect();
        rows.reverse();
        rows.truncate(limit);
        Ok(rows)
    } else {
        Ok(beyond.take(limit).collect())
    }
}

fn event(kind: EventKind, row: &UnitRow, old: Option<&UnitRow>, changed: Vec<&'static str>) -> Event {
    let moved = old.filter(|old| old.parent != row.parent);
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({ "kind": row.kind, "parent": row.parent }),
        before: moved.map_or(Value::Null, |old| json!({ "parent": old.parent })),
    }
}
