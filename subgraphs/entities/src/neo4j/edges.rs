//! Walks through the copy.

use neo4rs::Query;
use pulse_types::{EntityId, OrgId};
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::client::{Neo4j, Neo4jError};
use super::{key_of, of_tenant};
use crate::traversal::{Edge, Edges, Following, Met, Side};

/// What a tenant's part of the copy is the same as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) struct Standing {
    /// Everything in the log up to here is in the copy, of all tenants.
    pub(crate) applied: i64,
    /// The last change of this tenant that is in it, or what its rows were read at.
    pub(crate) seen: i64,
    /// How often this tenant's part was read anew from the rows.
    pub(crate) generation: i64,
}

/// A tenant's part of the copy, which is known to be whole.
#[derive(Debug)]
pub(crate) struct Projected {
    neo4j: Neo4j,
    log: String,
    tenant: OrgId,
    standing: Standing,
    deadline: Instant,
}

const STANDING: &str = include_str!("queries/standing.cypher");

/// The parts of a hop's query, one for each side that a walk comes from.
const FROM_SOURCE: &str = include_str!("queries/hop_from_source.cypher");
const FROM_TARGET: &str = include_str!("queries/hop_from_target.cypher");

#[derive(Deserialize)]
struct MetRow {
    source: String,
    #[serde(rename = "type")]
    type_name: String,
    target: String,
    followed: bool,
}

impl Projected {
    /// The tenant's part, if nothing is being written to it, for a walk that begins now.
    pub(crate) async fn begin(neo4j: &Neo4j, log: &str, tenant: OrgId) -> Result<Option<Self>, Neo4jError> {
        let deadline = neo4j.deadline();
        let standing = standing(neo4j, (log, tenant), deadline).await?;
        Ok(standing.map(|standing| Self {
            neo4j: neo4j.clone(),
            log: log.to_owned(),
            tenant,
            standing,
            deadline,
        }))
    }

    pub(crate) const fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether nothing was written to the tenant's part since it was begun with: what was read in between is of one state.
    pub(crate) async fn is_unchanged(&self) -> Result<bool, Neo4jError> {
        let now = standing(&self.neo4j, (&self.log, self.tenant), self.deadline).await?;
        let state = |standing: Standing| (standing.seen, standing.generation);
        Ok(now.map(state) == Some(state(self.standing)))
    }

    async fn hop(
        &self,
        entities: &[EntityId],
        following: &Following,
        limit: usize,
        order: &str,
    ) -> Result<Vec<MetRow>, Neo4jError> {
        let sides: Vec<&str> = Side::of(following.direction)
            .iter()
            .map(|side| match side {
                Side::Source => FROM_SOURCE,
                Side::Target => FROM_TARGET,
            })
            .collect();
        let text = format!(
            "UNWIND range(0, size($ids) - 1) AS place CALL {{ WITH place {} }}
             RETURN source, type, target, followed {order} LIMIT $limit",
            sides.join(" UNION ALL WITH place ")
        );
        let query = Query::new(of_tenant(&text, self.tenant))
            .param("ids", texts(entities))
            .param("types", following.types.clone())
            .param("min", following.min_confidence.unwrap_or(-1.0))
            .param("entity_types", following.entity_types.clone())
            .param("ends", texts(&following.ends))
            .param("limit", i64::try_from(limit).unwrap_or(i64::MAX));
        self.neo4j.read(query, self.deadline).await
    }
}

async fn standing(
    neo4j: &Neo4j,
    (log, tenant): (&str, OrgId),
    deadline: Instant,
) -> Result<Option<Standing>, Neo4jError> {
    let query = Query::new(STANDING.to_owned()).param("log", log).param("key", key_of(log, tenant));
    Ok(neo4j.read(query, deadline).await?.pop())
}

impl Edges for Projected {
    type Error = Neo4jError;

    async fn of(
        &self,
        entities: &[EntityId],
        following: &Following,
        limit: usize,
    ) -> Result<Vec<Met>, Neo4jError> {
        let mut rows = self.hop(entities, following, limit, "").await?;
        if rows.len() >= limit {
            // Which ones are left out must not depend on the engine. Without a limit that is met, order does not matter.
            rows = self.hop(entities, following, limit, "ORDER BY place, side, type, other").await?;
        }
        Ok(rows.into_iter().filter_map(met).collect())
    }
}

fn met(row: MetRow) -> Option<Met> {
    let MetRow { source, type_name, target, followed } = row;
    let id = |text: &str| Uuid::try_parse(text).ok().map(EntityId::from_uuid);
    Some(Met { edge: Edge { source: id(&source)?, type_name, target: id(&target)? }, followed })
}

fn texts(ids: &[EntityId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}
