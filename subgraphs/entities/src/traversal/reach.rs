//! What can be reached from entities.

use std::collections::HashMap;

use pulse_types::EntityId;

use super::{Budget, CutOff, Edge, Edges, Following, step};

/// What a walk has reached.
#[derive(Debug, Default)]
pub(crate) struct Reached {
    /// The entities with their distance in hops: those that it set out from first, then in order of distance and id.
    pub(crate) entities: Vec<(EntityId, u32)>,
    /// The relationships between them that the walk has read, in order. It has not read those of the farthest entities.
    pub(crate) edges: Vec<Edge>,
}

/// Walks `depth` hops from `starts`, until `limit` entities are reached.
pub(crate) async fn reach<E: Edges>(
    edges: &E,
    budget: &mut Budget,
    (starts, following): (&[EntityId], &Following),
    (depth, limit): (usize, usize),
) -> Result<Reached, E::Error> {
    let mut distances: HashMap<EntityId, u32> = HashMap::new();
    let mut reached = Reached::default();
    let mut frontier = Vec::new();
    for start in starts {
        if distances.insert(*start, 0).is_none() {
            reached.entities.push((*start, 0));
            frontier.push(*start);
        }
    }
    let mut read = Vec::new();
    for distance in 1..=u32::try_from(depth).unwrap_or(u32::MAX) {
        if frontier.is_empty() {
            break;
        }
        let found = step(edges, budget, &mut frontier, following).await?;
        let from = |id: EntityId| frontier.binary_search(&id).is_ok();
        let mut new: Vec<EntityId> = found
            .iter()
            .flat_map(|edge| edge.steps(following.direction, from))
            .map(|(_, to)| to)
            .filter(|to| !distances.contains_key(to))
            .collect();
        new.sort_unstable();
        new.dedup();
        let room = limit.saturating_sub(reached.entities.len());
        if new.len() > room {
            new.truncate(room);
            budget.cut(CutOff::Entities);
        }
        for id in &new {
            distances.insert(*id, distance);
            reached.entities.push((*id, distance));
        }
        read.extend(found);
        frontier = new;
        if budget.cut_off().is_some() {
            break;
        }
    }
    read.retain(|edge| distances.contains_key(&edge.source) && distances.contains_key(&edge.target));
    read.sort_unstable();
    read.dedup();
    reached.edges = read;
    Ok(reached)
}
