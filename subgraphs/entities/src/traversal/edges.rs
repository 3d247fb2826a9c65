//! Where a walk reads relationships.

use pulse_store::{Session, StoreError};
use pulse_types::{EntityId, RelationshipId};
use sqlx::{Postgres, QueryBuilder};

use super::Following;
use crate::entity::repo::uuids;
use crate::relationship::of_entities::Direction;
use crate::relationship::row::RelationshipEnds;

/// A relationship on a walk. There is at most one of a type from a source to a target.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, sqlx::FromRow)]
pub(crate) struct Edge {
    /// The entity that it goes out from.
    pub(crate) source: EntityId,
    /// What kind of connection it is.
    pub(crate) type_name: String,
    /// The entity that it comes in to.
    pub(crate) target: EntityId,
}

/// Which end of a relationship a walk comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// From its source to its target.
    Source,
    /// From its target to its source.
    Target,
}

impl Side {
    /// Those from which a walk of this direction comes.
    pub(crate) const fn of(direction: Direction) -> &'static [Self] {
        match direction {
            Direction::Outgoing => &[Self::Source],
            Direction::Incoming => &[Self::Target],
            Direction::Both => &[Self::Source, Self::Target],
        }
    }

    const fn columns(self) -> (&'static str, &'static str) {
        match self {
            Self::Source => ("r.source_id", "r.target_id"),
            Self::Target => ("r.target_id", "r.source_id"),
        }
    }
}

impl Edge {
    /// Where a walk that comes from one of `ends` gets to by this relationship, and from where. Two where it may go either
    /// way and comes from both of its ends.
    pub(super) fn steps(
        &self,
        direction: Direction,
        is_end: impl Fn(EntityId) -> bool,
    ) -> impl Iterator<Item = (EntityId, EntityId)> {
        let of = |side| match side {
            Side::Source => (self.source, self.target),
            Side::Target => (self.target, self.source),
        };
        Side::of(direction).iter().map(move |side| of(*side)).filter(move |(from, _)| is_end(*from))
    }
}

/// A relationship that a walk has come upon.
#[derive(Debug, sqlx::FromRow)]
pub(crate) struct Met {
    #[sqlx(flatten)]
    pub(crate) edge: Edge,
    /// Whether the walk goes on by it. One that it does not follow was read all the same.
    pub(crate) followed: bool,
}

/// A graph that can be walked through: an engine.
pub(crate) trait Edges {
    /// Why it could not be read.
    type Error;

    /// At most `limit` of the relationships of `entities` that go the way of the walk and are of its types; one between two of
    /// them perhaps twice. Of more than `limit`, those of the first of `entities`, outgoing ones before incoming ones, in order of
    /// their types and of the entities at their other ends.
    async fn of(
        &self,
        entities: &[EntityId],
        following: &Following,
        limit: usize,
    ) -> Result<Vec<Met>, Self::Error>;
}

/// The graph in the database, as the session's caller sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'s>(&'s Session);

impl Edges for Stored<'_> {
    type Error = StoreError;

    async fn of(
        &self,
        entities: &[EntityId],
        following: &Following,
        limit: usize,
    ) -> Result<Vec<Met>, StoreError> {
        let mut query = step_query(entities, following, limit);
        self.0.fetch_all("traversal.step", query.build_query_as()).await
    }
}

impl<'s> Stored<'s> {
    /// The graph of a session whose caller may read it.
    pub(crate) const fn of(session: &'s Session) -> Self {
        Self(session)
    }

    /// The relationships of a result with their ids, in the same order.
    pub(crate) async fn identify(&self, edges: &[Edge]) -> Result<Vec<RelationshipEnds>, StoreError> {
        if edges.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<(i64, RelationshipId)> =
            self.0.fetch_all("traversal.ids", ids_query(edges).build_query_as()).await?;
        let at = |place: i64| usize::try_from(place - 1).ok().and_then(|place| edges.get(place));
        let known = |(place, id)| {
            at(place).map(|edge| RelationshipEnds {
                id,
                type_name: edge.type_name.clone(),
                source_id: edge.source,
                target_id: edge.target,
            })
        };
        Ok(ids.into_iter().filter_map(known).collect())
    }
}

/// The statement of one hop. All that it reads is in the index of that side, unless confidence or the types of entities
/// matter; and it reads no more than `limit`, which also keeps the planner from joining whole tables. What is not followed
/// counts: otherwise one hop could look through a whole tenant and find nothing.
pub(crate) fn step_query(
    entities: &[EntityId],
    following: &Following,
    limit: usize,
) -> QueryBuilder<Postgres> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut query = QueryBuilder::new(
        "SELECT r.source_id AS source, r.type AS type_name, r.target_id AS target, r.followed FROM unnest(",
    );
    query.push_bind(uuids(entities)).push("::uuid[]) AS f (id)");
    for (index, side) in Side::of(following.direction).iter().enumerate() {
        let (own, other) = side.columns();
        query.push(if index == 0 { " CROSS JOIN LATERAL ((" } else { ") UNION ALL (" });
        query.push("SELECT r.source_id, r.type, r.target_id, true");
        if let Some(confidence) = following.min_confidence {
            query.push(" AND r.confidence >= ").push_bind(confidence);
        }
        if !following.entity_types.is_empty() {
            query.push(" AND (").push(other).push(" = ANY (").push_bind(uuids(&following.ends));
            query.push(") OR (SELECT e.type = ANY (").push_bind(following.entity_types.clone());
            query.push(") FROM entities.entities AS e WHERE e.id = ").push(other).push("))");
        }
        query.push(" AS followed FROM entities.relationships AS r WHERE ").push(own).push(" = f.id");
        if !following.types.is_empty() {
            query.push(" AND r.type = ANY (").push_bind(following.types.clone()).push(")");
        }
        query.push(" ORDER BY r.type, ").push(other).push(" LIMIT ").push_bind(limit);
    }
    query.push(")) AS r LIMIT ").push_bind(limit);
    query
}

/// The statement of the ids of relationships, each with its place among `edges` from 1 on.
pub(crate) fn ids_query(edges: &[Edge]) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT given.place, found.id FROM unnest(");
    query.push_bind(edges.iter().map(|edge| edge.source.uuid()).collect::<Vec<_>>()).push("::uuid[], ");
    query.push_bind(edges.iter().map(|edge| edge.type_name.clone()).collect::<Vec<_>>()).push("::text[], ");
    query.push_bind(edges.iter().map(|edge| edge.target.uuid()).collect::<Vec<_>>());
    query.push(
        "::uuid[]) WITH ORDINALITY AS given (source_id, type, target_id, place)
          CROSS JOIN LATERAL (SELECT r.id FROM entities.relationships AS r
            WHERE r.source_id = given.source_id AND r.type = given.type AND r.target_id = given.target_id
            LIMIT 1) AS found
          ORDER BY given.place",
    );
    query
}
