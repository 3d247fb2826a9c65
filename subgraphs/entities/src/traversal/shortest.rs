//! One of the shortest ways from one entity to another.

use std::collections::HashMap;

use pulse_types::EntityId;

use super::{Budget, Edge, Edges, Following, step};

/// One end of the search: what it has reached, and by which relationship from where.
struct Half {
    following: Following,
    /// The entity before, one hop nearer to where this half set out from, and the relationship from it.
    came_by: HashMap<EntityId, Option<(EntityId, Edge)>>,
    frontier: Vec<EntityId>,
}

impl Half {
    fn new(start: EntityId, following: Following) -> Self {
        Self { following, came_by: HashMap::from([(start, None)]), frontier: vec![start] }
    }

    /// One hop farther. Of several ways to an entity the least is kept, so that the same graph gives the same answer.
    async fn advance<E: Edges>(&mut self, edges: &E, budget: &mut Budget) -> Result<(), E::Error> {
        let found = step(edges, budget, &mut self.frontier, &self.following).await?;
        let mut new: HashMap<EntityId, Option<(EntityId, Edge)>> = HashMap::new();
        for edge in found {
            let from = |id: EntityId| self.frontier.binary_search(&id).is_ok();
            for (from, to) in edge.steps(self.following.direction, from) {
                if !self.came_by.contains_key(&to) {
                    new.entry(to).or_insert_with(|| Some((from, edge.clone())));
                }
            }
        }
        self.frontier = new.keys().copied().collect();
        self.came_by.extend(new);
        Ok(())
    }

    /// The relationships from `entity` back to where this half set out from.
    fn way_back(&self, mut entity: EntityId) -> Vec<Edge> {
        let mut way = Vec::new();
        while let Some(Some((before, edge))) = self.came_by.get(&entity) {
            way.push(edge.clone());
            entity = *before;
        }
        way
    }
}

/// The relationships of one of the shortest ways, none when both are the same entity; `None` when there is no way of at most
/// `max_hops` hops, or none was found within the budget.
///
/// The search goes on from both ends, one hop at a time from the one that has fewer entities to go on from, and ends where the
/// two first meet.
pub(crate) async fn shortest_path<E: Edges>(
    edges: &E,
    budget: &mut Budget,
    (from, to, following): (EntityId, EntityId, &Following),
    max_hops: usize,
) -> Result<Option<Vec<Edge>>, E::Error> {
    if from == to {
        return Ok(Some(Vec::new()));
    }
    let mut ahead = Half::new(from, following.clone());
    let mut behind = Half::new(to, following.reversed());
    for _ in 0..max_hops {
        if ahead.frontier.is_empty() || behind.frontier.is_empty() {
            return Ok(None);
        }
        let (moving, other) = if ahead.frontier.len() <= behind.frontier.len() {
            (&mut ahead, &behind)
        } else {
            (&mut behind, &ahead)
        };
        moving.advance(edges, budget).await?;
        let met = moving.frontier.iter().filter(|id| other.came_by.contains_key(id)).min().copied();
        if let Some(met) = met {
            let mut way = ahead.way_back(met);
            way.reverse();
            way.extend(behind.way_back(met));
            return Ok(Some(way));
        }
        if budget.cut_off().is_some() {
            return Ok(None);
        }
    }
    Ok(None)
}
