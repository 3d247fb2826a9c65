//! The relationships and neighbours of many entities, in one statement.

use pulse_types::EntityId;
use serde::{Deserialize, Serialize};
use sqlx::{Postgres, QueryBuilder};

use super::row::{brief_relationship_columns, named_columns, relationship_columns};
use crate::entity::list::push_limit;
use crate::entity::repo::uuids;
use crate::entity::row::{all_columns, brief_columns};

/// Which way relationships go, seen from an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "RelationshipDirection")]
pub(crate) enum Direction {
    /// Those of which the entity is the source.
    Outgoing,
    /// Those of which the entity is the target.
    Incoming,
    /// Both.
    Both,
}

/// One page of each entity's relationships.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct RelationshipsPage {
    pub(crate) direction: Direction,
    pub(crate) type_name: Option<String>,
    pub(crate) limit: i64,
    /// Type, entity at the other end, and whether incoming, of the last relationship of the page before.
    pub(crate) after: Option<(String, EntityId, bool)>,
    pub(crate) columns: Columns,
}

/// How much is read of relationships and of the entities at their other ends; each has all of the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Columns {
    /// What connects what.
    Names,
    /// All but what is large.
    Brief,
    /// The relationships' properties as well.
    Properties,
}

impl Columns {
    const fn sql(self) -> &'static str {
        match self {
            Self::Names => named_columns!(),
            Self::Brief => concat!(brief_relationship_columns!(), ", ", brief_columns!()),
            Self::Properties => concat!(relationship_columns!(), ", ", brief_columns!()),
        }
    }
}

/// One page of each entity's neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct NeighborsPage {
    pub(crate) direction: Direction,
    pub(crate) type_name: Option<String>,
    pub(crate) limit: i64,
    /// The last neighbour of the page before.
    pub(crate) after: Option<EntityId>,
    /// Whether to read properties and description.
    pub(crate) details: bool,
}

/// An entity's relationships `r` of one direction, as their index has them.
pub(crate) struct Side {
    pub(crate) own: &'static str,
    pub(crate) other: &'static str,
    pub(crate) incoming: bool,
}

const OUTGOING: Side = Side { own: "r.source_id", other: "r.target_id", incoming: false };
const INCOMING: Side = Side { own: "r.target_id", other: "r.source_id", incoming: true };

impl Direction {
    pub(crate) const fn sides(self) -> &'static [Side] {
        match self {
            Self::Outgoing => &[OUTGOING],
            Self::Incoming => &[INCOMING],
            Self::Both => &[OUTGOING, INCOMING],
        }
    }
}

/// The relationships of `entities`, a page of each, with the entities at their other ends. The rows of one entity
/// come in order of type and other end, or, of both directions, those that go out before those that come in.
///
/// The other ends are joined within each entity's page: joined outside, each would be looked for in a cache first that it
/// is hardly ever in.
pub(crate) fn relationships_query(entities: &[EntityId], page: &RelationshipsPage) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT p.id, r.* FROM unnest(");
    query.push_bind(uuids(entities)).push("::uuid[]) AS p (id)");
    for (index, side) in page.direction.sides().iter().enumerate() {
        query.push(if index == 0 { " CROSS JOIN LATERAL ((SELECT " } else { ") UNION ALL (SELECT " });
        query.push(page.columns.sql());
        query
            .push(" FROM entities.relationships AS r JOIN entities.entities AS e ON e.id = ")
            .push(side.other);
        query.push(" WHERE ").push(side.own).push(" = p.id");
        push_conditions(&mut query, page.type_name.as_deref(), side, page.direction);
        push_after(&mut query, page, side);
        query.push(" ORDER BY r.type, ").push(side.other);
        push_limit(&mut query, page.limit);
    }
    query.push(")) AS r");
    query
}

/// The neighbours of `entities`, a page of each, in order of their ids; each once however many relationships lead
/// to it.
pub(crate) fn neighbors_query(entities: &[EntityId], page: &NeighborsPage) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(if page.details {
        concat!("SELECT p.id, ", all_columns!(), " FROM unnest(")
    } else {
        concat!("SELECT p.id, ", brief_columns!(), " FROM unnest(")
    });
    query.push_bind(uuids(entities)).push("::uuid[]) AS p (id)");
    for (index, side) in page.direction.sides().iter().enumerate() {
        query.push(if index == 0 { " CROSS JOIN LATERAL (SELECT id FROM ((" } else { ") UNION (" });
        query
            .push("SELECT DISTINCT ")
            .push(side.other)
            .push(" AS id FROM entities.relationships AS r WHERE ");
        query.push(side.own).push(" = p.id");
        push_conditions(&mut query, page.type_name.as_deref(), side, Direction::Outgoing);
        if let Some(after) = page.after {
            query.push(" AND ").push(side.other).push(" > ").push_bind(after);
        }
        query.push(" ORDER BY 1");
        push_limit(&mut query, page.limit);
    }
    query.push(")) AS sides ORDER BY 1");
    push_limit(&mut query, page.limit);
    query.push(") AS n JOIN entities.entities AS e ON e.id = n.id");
    query
}

/// How many relationships each of `entities` has; entities without any are left out.
pub(crate) fn count_query(
    entities: &[EntityId],
    direction: Direction,
    type_name: Option<&str>,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT id, sum(n)::bigint FROM (");
    for (index, side) in direction.sides().iter().enumerate() {
        query.push(if index == 0 { "SELECT " } else { " UNION ALL SELECT " });
        query.push(side.own).push(" AS id, count(*) AS n FROM entities.relationships AS r WHERE ");
        query.push(side.own).push(" = ANY (").push_bind(uuids(entities)).push(")");
        push_conditions(&mut query, type_name, side, direction);
        query.push(" GROUP BY 1");
    }
    query.push(") AS sides GROUP BY 1");
    query
}

/// How many neighbours each of `entities` has; entities without any are left out.
pub(crate) fn neighbor_count_query(
    entities: &[EntityId],
    direction: Direction,
    type_name: Option<&str>,
) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT id, count(*) FROM (");
    for (index, side) in direction.sides().iter().enumerate() {
        query.push(if index == 0 { "SELECT DISTINCT " } else { " UNION SELECT " });
        query
            .push(side.own)
            .push(" AS id, ")
            .push(side.other)
            .push(" AS other FROM entities.relationships AS r WHERE ");
        query.push(side.own).push(" = ANY (").push_bind(uuids(entities)).push(")");
        push_conditions(&mut query, type_name, side, Direction::Outgoing);
    }
    query.push(") AS pairs GROUP BY 1");
    query
}

/// A relationship of an entity with itself is one relationship: of both directions it counts as outgoing.
fn push_conditions(
    query: &mut QueryBuilder<Postgres>,
    type_name: Option<&str>,
    side: &Side,
    direction: Direction,
) {
    if let Some(name) = type_name {
        query.push(" AND r.type = ").push_bind(name.to_owned());
    }
    if side.incoming && direction == Direction::Both {
        query.push(" AND r.source_id <> r.target_id");
    }
}

fn push_after(query: &mut QueryBuilder<Postgres>, page: &RelationshipsPage, side: &Side) {
    let Some((type_name, other, incoming)) = &page.after else { return };
    // Between two entities, what goes out comes before what comes in: after an outgoing one, the incoming one of the
    // same type and entity is still to come.
    let same_is_left = page.direction == Direction::Both && side.incoming && !incoming;
    let than = if same_is_left { " >= (" } else { " > (" };
    query.push(" AND (r.type, ").push(side.other).push(")").push(than);
    query.push_bind(type_name.clone()).push(", ").push_bind(*other).push(")");
}
