//! Walks through the graph: what can be reached from entities, and by which ways.
//!
//! A walk goes on hop by hop, and each hop reads the relationships of all entities that the one before has reached, in one
//! statement. What a walk may read is bounded, and whatever it leaves out for that reason it says so.

mod edges;
mod paths;
mod reach;
mod shortest;
#[cfg(test)]
mod tests;
mod walk;

use std::time::Duration;

use pulse_graphql::Error;
use pulse_store::Session;
use pulse_types::{EntityId, Permission};
use tokio::time::Instant;

pub(crate) use edges::{Edge, Edges, Met, Side, Stored};
#[cfg(test)]
pub(crate) use edges::{ids_query, step_query};
pub(crate) use paths::paths;
pub(crate) use reach::reach;
pub(crate) use shortest::shortest_path;
pub(crate) use walk::Walk;

use crate::check::{self, Problem};
use crate::error::GraphError;
use crate::neo4j::Neo4j;
use crate::relationship::of_entities::Direction;
use crate::{sight, tags};

/// How many relationships a walk reads at most.
const MAX_EDGES: usize = 100_000;
/// No hop begins when a walk has taken as long as this.
const MAX_TIME: Duration = Duration::from_millis(250);
/// How many types a walk is narrowed to at most.
const MAX_TYPES: usize = 50;
/// How many entities a walk sets out from at most.
pub(crate) const MAX_STARTS: usize = 100;

/// Which relationships a walk follows, and to which entities.
#[derive(Debug, Clone)]
pub(crate) struct Following {
    pub(crate) direction: Direction,
    /// Those of these types; all when there is none.
    pub(crate) types: Vec<String>,
    /// Those that are at least as sure, 0 to 1.
    pub(crate) min_confidence: Option<f64>,
    /// To entities of these types; to all when there is none.
    pub(crate) entity_types: Vec<String>,
    /// And to these, whatever their types are.
    pub(crate) ends: Vec<EntityId>,
}

impl Following {
    /// Whether each field is well-formed.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        for (field, names) in [("types", &self.types), ("entityTypes", &self.entity_types)] {
            if names.len() > MAX_TYPES {
                let text = format!("`{field}` has {} names, allowed are {MAX_TYPES}", names.len());
                return Err(Problem::new(field, text));
            }
            names.iter().try_for_each(|name| check::type_name(field, name))?;
        }
        self.min_confidence.map_or(Ok(()), |confidence| {
            check::confidence(confidence)
                .map_err(|problem| Problem { field: "minConfidence".to_owned(), ..problem })
        })
    }

    /// The same walk, walked from its end.
    pub(crate) fn reversed(&self) -> Self {
        let direction = match self.direction {
            Direction::Outgoing => Direction::Incoming,
            Direction::Incoming => Direction::Outgoing,
            Direction::Both => Direction::Both,
        };
        Self { direction, ..self.clone() }
    }
}

/// Why a walk has not gone everywhere that it could have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, async_graphql::Enum)]
#[graphql(name = "TraversalCutOff")]
pub(crate) enum CutOff {
    /// More entities than `limit`.
    Entities,
    /// More relationships than a walk reads.
    Relationships,
    /// It took too long.
    Time,
    /// There are more ways than can be looked through.
    Paths,
}

/// What a walk may still read.
#[derive(Debug)]
pub(crate) struct Budget {
    edges: usize,
    read: usize,
    until: Instant,
    cut_off: Option<CutOff>,
}

impl Budget {
    /// That of a whole walk.
    pub(crate) fn new() -> Self {
        Self::of(MAX_EDGES)
    }

    /// That of a walk that may read so many relationships.
    pub(crate) fn of(edges: usize) -> Self {
        Self::within(edges, MAX_TIME)
    }

    /// The same with a time of its own.
    pub(crate) fn within(edges: usize, time: Duration) -> Self {
        Self { edges, read: 0, until: Instant::now() + time, cut_off: None }
    }

    /// How many relationships were read.
    pub(crate) const fn read(&self) -> usize {
        self.read
    }

    /// What ended the walk before its end, the first of all reasons.
    pub(crate) const fn cut_off(&self) -> Option<CutOff> {
        self.cut_off
    }

    fn cut(&mut self, reason: CutOff) {
        self.cut_off.get_or_insert(reason);
    }

    /// How many relationships one more hop may read; none when there is no time left.
    fn hop(&mut self) -> usize {
        let left = self.edges - self.read;
        if left == 0 {
            self.cut(CutOff::Relationships);
        } else if Instant::now() >= self.until {
            self.cut(CutOff::Time);
            return 0;
        }
        left
    }
}

/// The relationships of `entities` that a walk follows, within its budget, in order and each once. Sorts `entities`.
async fn step<E: Edges>(
    edges: &E,
    budget: &mut Budget,
    entities: &mut [EntityId],
    following: &Following,
) -> Result<Vec<Edge>, E::Error> {
    entities.sort_unstable();
    let left = budget.hop();
    if left == 0 || entities.is_empty() {
        return Ok(Vec::new());
    }
    // One more than may be read says that there are more.
    let mut met = edges.of(entities, following, left + 1).await?;
    if met.len() > left {
        met.truncate(left);
        budget.cut(CutOff::Relationships);
    }
    budget.read += met.len();
    let mut found: Vec<Edge> = met.into_iter().filter(|met| met.followed).map(|met| met.edge).collect();
    // Where a walk goes either way, one between two of the entities was found from both.
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// Begins a walk of whoever asks, if they may read the graph and the walk is well-formed. Nothing is read yet.
pub(crate) fn enter<'s>(
    session: &'s Session,
    neo4j: Option<&'s Neo4j>,
    following: &Following,
) -> Result<Walk<'s>, Error<GraphError>> {
    sight::may_read(session.caller())?;
    session.caller().require(&Permission::RELATIONSHIP_READ)?;
    following.check().map_err(GraphError::Argument)?;
    session.tag_all(tags::of_walk(following));
    Ok(Walk::new(session, neo4j))
}

/// A whole number of an argument between 1 and `max`.
pub(crate) fn count(argument: &'static str, value: i32, max: usize) -> Result<usize, GraphError> {
    usize::try_from(value).ok().filter(|value| (1..=max).contains(value)).ok_or_else(|| {
        GraphError::Argument(Problem::new(
            argument,
            format!("`{argument}` is {value}, allowed is 1 to {max}"),
        ))
    })
}
