//! All ways from one entity to another.

use std::collections::HashMap;

use pulse_types::EntityId;

use super::{Budget, CutOff, Edge, Edges, Following, step};
use crate::relationship::of_entities::Direction;

/// How many hops are tried at most while ways are looked for.
const MAX_TRIED: usize = 100_000;

/// The relationships that a way may consist of, by the entity that it goes on from.
struct Ways {
    next: HashMap<EntityId, Vec<(Edge, EntityId)>>,
    /// How many hops each entity is from the end, at least.
    left: HashMap<EntityId, usize>,
}

/// The ways of at most `max_hops` hops that pass through no entity twice, without the first `skip` of them and no more than
/// `take`: the shorter ones first, those of one length in order of their relationships.
///
/// Half of the hops are read from each end, so that every relationship of every way is read.
pub(crate) async fn paths<E: Edges>(
    edges: &E,
    budget: &mut Budget,
    (from, to, following): (EntityId, EntityId, &Following),
    (max_hops, skip, take): (usize, usize, usize),
) -> Result<Vec<Vec<Edge>>, E::Error> {
    let ahead = max_hops.div_ceil(2);
    let mut read = Vec::new();
    for (start, following, hops) in
        [(from, following.clone(), ahead), (to, following.reversed(), max_hops - ahead)]
    {
        read.extend(walk(edges, budget, (start, &following), hops).await?);
    }
    let ways = Ways::new(read, following.direction, to);
    Ok(ways.list((from, to), max_hops, (skip, take), budget))
}

/// All relationships that a walk of `hops` hops reads.
async fn walk<E: Edges>(
    edges: &E,
    budget: &mut Budget,
    (start, following): (EntityId, &Following),
    hops: usize,
) -> Result<Vec<Edge>, E::Error> {
    let mut seen = std::collections::HashSet::from([start]);
    let (mut frontier, mut read) = (vec![start], Vec::new());
    for _ in 0..hops {
        let found = step(edges, budget, &mut frontier, following).await?;
        let from = |id: EntityId| frontier.binary_search(&id).is_ok();
        let reached = found.iter().flat_map(|edge| edge.steps(following.direction, from)).map(|(_, to)| to);
        frontier = reached.filter(|to| seen.insert(*to)).collect();
        read.extend(found);
        if frontier.is_empty() || budget.cut_off().is_some() {
            break;
        }
    }
    Ok(read)
}

impl Ways {
    fn new(mut read: Vec<Edge>, direction: Direction, to: EntityId) -> Self {
        read.sort_unstable();
        read.dedup();
        let mut next: HashMap<EntityId, Vec<(Edge, EntityId)>> = HashMap::new();
        let mut before: HashMap<EntityId, Vec<EntityId>> = HashMap::new();
        for edge in read {
            for (from, to) in edge.steps(direction, |_| true) {
                before.entry(to).or_default().push(from);
                next.entry(from).or_default().push((edge.clone(), to));
            }
        }
        let mut left = HashMap::from([(to, 0)]);
        let mut frontier = vec![to];
        let mut distance = 0;
        while !frontier.is_empty() {
            distance += 1;
            let mut farther = Vec::new();
            for entity in frontier {
                for from in before.get(&entity).into_iter().flatten() {
                    if !left.contains_key(from) {
                        left.insert(*from, distance);
                        farther.push(*from);
                    }
                }
            }
            frontier = farther;
        }
        Self { next, left }
    }

    fn list(
        &self,
        (from, to): (EntityId, EntityId),
        max_hops: usize,
        (skip, take): (usize, usize),
        budget: &mut Budget,
    ) -> Vec<Vec<Edge>> {
        let mut search = Search { ways: self, to, wanted: skip + take, tried: 0, found: Vec::new() };
        let mut walked = vec![from];
        for length in 1..=max_hops {
            search.go_on(&mut walked, &mut Vec::new(), length);
        }
        if search.tried >= MAX_TRIED {
            budget.cut(CutOff::Paths);
        }
        search.found.into_iter().skip(skip).collect()
    }
}

/// A search in depth for the ways of one length after another.
struct Search<'w> {
    ways: &'w Ways,
    to: EntityId,
    wanted: usize,
    tried: usize,
    found: Vec<Vec<Edge>>,
}

impl<'w> Search<'w> {
    fn go_on(&mut self, walked: &mut Vec<EntityId>, way: &mut Vec<&'w Edge>, left: usize) {
        let at = *walked.last().expect("a walk begins somewhere");
        if left == 0 {
            if at == self.to {
                self.found.push(way.iter().map(|edge| (*edge).clone()).collect());
            }
            return;
        }
        for (edge, next) in self.ways.next.get(&at).into_iter().flatten() {
            if self.found.len() >= self.wanted || self.tried >= MAX_TRIED {
                return;
            }
            let reaches = self.ways.left.get(next).is_some_and(|least| *least < left);
            // The end is passed by none but the last hop.
            let passes = (*next == self.to) != (left == 1);
            if !reaches || passes || walked.contains(next) {
                continue;
            }
            self.tried += 1;
            walked.push(*next);
            way.push(edge);
            self.go_on(walked, way, left - 1);
            way.pop();
            walked.pop();
        }
    }
}
