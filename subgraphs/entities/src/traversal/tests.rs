//! Walks over random graphs, beside ways of finding out the same that are simple and slow.

use std::collections::{BTreeSet, HashMap};

use chrono::DateTime;
use pulse_store::StoreError;
use pulse_types::EntityId;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use super::edges::{Met, Side};
use super::{Budget, CutOff, Edge, Edges, Following, paths, reach, shortest_path};
use crate::relationship::of_entities::Direction;

const SEEDS: std::ops::Range<u64> = 0..300;
const TYPES: [&str; 3] = ["likes", "needs", "owns"];
const DIRECTIONS: [Direction; 3] = [Direction::Outgoing, Direction::Incoming, Direction::Both];

fn entity(number: usize) -> EntityId {
    let time = DateTime::from_timestamp(1_750_000_000, 0).expect("a time").timestamp_millis().unsigned_abs();
    EntityId::from_uuid(Uuid::from_u128((u128::from(time) << 80) | (0x7000_8000_u128 << 48) | number as u128))
}

/// A graph in memory.
struct Graph(Vec<Edge>);

impl Graph {
    /// Of few entities, among them loops, circles and several relationships between the same two.
    fn random(rng: &mut StdRng) -> (Self, usize) {
        let entities = rng.random_range(1..9);
        let edges: BTreeSet<Edge> = (0..rng.random_range(0..20))
            .map(|_| Edge {
                source: entity(rng.random_range(0..entities)),
                type_name: TYPES[rng.random_range(0..TYPES.len())].to_owned(),
                target: entity(rng.random_range(0..entities)),
            })
            .collect();
        (Self(edges.into_iter().collect()), entities)
    }

    /// Each hop that may be made, as where from, by what and where to.
    fn hops<'g>(&'g self, following: &'g Following) -> impl Iterator<Item = (EntityId, &'g Edge, EntityId)> {
        let followed = |edge: &&Edge| following.types.is_empty() || following.types.contains(&edge.type_name);
        self.0.iter().filter(followed).flat_map(|edge| {
            Side::of(following.direction).iter().map(move |side| match side {
                Side::Source => (edge.source, edge, edge.target),
                Side::Target => (edge.target, edge, edge.source),
            })
        })
    }

    /// Distances of all that can be reached, by relaxing every hop until nothing changes.
    fn distances(&self, starts: &[EntityId], following: &Following) -> HashMap<EntityId, u32> {
        let mut distances: HashMap<EntityId, u32> = starts.iter().map(|start| (*start, 0)).collect();
        loop {
            let before = distances.clone();
            for (from, _, to) in self.hops(following) {
                if let Some(distance) = before.get(&from) {
                    let known = distances.entry(to).or_insert(distance + 1);
                    *known = (*known).min(distance + 1);
                }
            }
            if distances == before {
                return distances;
            }
        }
    }

    /// All ways through no entity twice, as they are found.
    fn ways(
        &self,
        following: &Following,
        (at, to): (EntityId, EntityId),
        (passed, left): (&[EntityId], usize),
    ) -> Vec<Vec<Edge>> {
        let mut found = Vec::new();
        if left == 0 || at == to {
            return found;
        }
        for (_, edge, next) in self.hops(following).filter(|(from, ..)| *from == at) {
            if next == to {
                found.push(vec![edge.clone()]);
            } else if !passed.contains(&next) {
                let passed = [passed, &[next]].concat();
                for rest in self.ways(following, (next, to), (&passed, left - 1)) {
                    found.push([vec![edge.clone()], rest].concat());
                }
            }
        }
        found
    }
}

impl Edges for Graph {
    type Error = StoreError;

    async fn of(
        &self,
        entities: &[EntityId],
        following: &Following,
        limit: usize,
    ) -> Result<Vec<Met>, StoreError> {
        let hops = self.hops(following).filter(|(from, ..)| entities.contains(from));
        Ok(hops.map(|(_, edge, _)| Met { edge: edge.clone(), followed: true }).take(limit).collect())
    }
}

fn following(rng: &mut StdRng) -> Following {
    let direction = DIRECTIONS[rng.random_range(0..DIRECTIONS.len())];
    let types = TYPES[..rng.random_range(0..TYPES.len())].iter().map(|&name| name.to_owned()).collect();
    Following { direction, types, min_confidence: None, entity_types: Vec::new(), ends: Vec::new() }
}

/// A way from `from`, checked hop by hop; where it ends.
fn follow(graph: &Graph, following: &Following, from: EntityId, way: &[Edge]) -> EntityId {
    way.iter().fold(from, |at, edge| {
        let hop = graph.hops(following).find(|(from, by, _)| *from == at && *by == edge);
        hop.unwrap_or_else(|| panic!("{edge:?} does not lead on from {at}")).2
    })
}

#[tokio::test]
async fn what_is_reached_is_what_has_a_distance() {
    for seed in SEEDS {
        let mut rng = StdRng::seed_from_u64(seed);
        let (graph, entities) = Graph::random(&mut rng);
        let following = following(&mut rng);
        let starts: Vec<_> =
            (0..rng.random_range(1..3)).map(|_| entity(rng.random_range(0..entities))).collect();
        let depth = rng.random_range(1..6);
        let mut budget = Budget::new();
        let reached = reach(&graph, &mut budget, (&starts, &following), (depth, 1_000)).await.unwrap();

        let mut expected = graph.distances(&starts, &following);
        expected.retain(|_, distance| *distance as usize <= depth);
        assert_eq!(reached.entities.iter().copied().collect::<HashMap<_, _>>(), expected, "seed {seed}");
        assert_eq!(reached.entities.len(), expected.len(), "seed {seed}: each once");
        assert!(
            reached
                .entities
                .windows(2)
                .skip(starts.len())
                .all(|pair| (pair[0].1, pair[0].0) < (pair[1].1, pair[1].0))
        );
        let nearer: BTreeSet<&Edge> = graph
            .hops(&following)
            .filter(|(from, ..)| expected.get(from).is_some_and(|distance| (*distance as usize) < depth))
            .map(|(_, edge, _)| edge)
            .collect();
        assert_eq!(reached.edges.iter().collect::<BTreeSet<_>>(), nearer, "seed {seed}");
        assert_eq!((reached.edges.len(), budget.cut_off()), (nearer.len(), None), "seed {seed}");
    }
}

#[tokio::test]
async fn a_shortest_way_is_as_long_as_the_distance() {
    let mut longest = 0;
    for seed in SEEDS {
        let mut rng = StdRng::seed_from_u64(seed);
        let (graph, entities) = Graph::random(&mut rng);
        let following = following(&mut rng);
        let [from, to] = [0; 2].map(|_| entity(rng.random_range(0..entities)));
        let max_hops = rng.random_range(1..8);
        let way = shortest_path(&graph, &mut Budget::new(), (from, to, &following), max_hops).await.unwrap();

        let distance = graph.distances(&[from], &following).get(&to).copied();
        let expected = distance.filter(|distance| *distance as usize <= max_hops);
        assert_eq!(way.as_ref().map(Vec::len), expected.map(|distance| distance as usize), "seed {seed}");
        if let Some(way) = way {
            assert_eq!(follow(&graph, &following, from, &way), to, "seed {seed}");
            longest = longest.max(way.len());
        }
    }
    assert!(longest > 3, "the graphs are too small to say anything: {longest}");
}

#[tokio::test]
async fn ways_are_all_ways_the_shorter_ones_first() {
    let mut most = 0;
    for seed in SEEDS {
        let mut rng = StdRng::seed_from_u64(seed);
        let (graph, entities) = Graph::random(&mut rng);
        let following = following(&mut rng);
        let [from, to] = [0; 2].map(|_| entity(rng.random_range(0..entities)));
        let max_hops = rng.random_range(1..7);
        let ends = (from, to, &following);
        let all = paths(&graph, &mut Budget::new(), ends, (max_hops, 0, 10_000)).await.unwrap();

        let mut expected = graph.ways(&following, (from, to), (&[from], max_hops));
        // A loop leads both ways, and is a way to nowhere else.
        expected.sort_by(|left, right| left.len().cmp(&right.len()).then_with(|| left.cmp(right)));
        expected.dedup();
        assert_eq!(
            all.iter().collect::<BTreeSet<_>>(),
            expected.iter().collect::<BTreeSet<_>>(),
            "seed {seed}"
        );
        assert_eq!(all.len(), expected.len(), "seed {seed}: each once");
        assert!(all.windows(2).all(|pair| pair[0].len() <= pair[1].len()), "seed {seed}");
        let some = paths(&graph, &mut Budget::new(), ends, (max_hops, 1, 2)).await.unwrap();
        assert_eq!(some, all.iter().skip(1).take(2).cloned().collect::<Vec<_>>(), "seed {seed}");
        most = most.max(all.len());
    }
    assert!(most > 10, "the graphs are too small to say anything: {most}");
}

#[tokio::test]
async fn what_is_left_out_is_told() {
    let edge = |source, target| Edge {
        source: entity(source),
        type_name: "needs".to_owned(),
        target: entity(target),
    };
    let star = Graph((1..=30).map(|target| edge(0, target)).chain([edge(30, 31)]).collect());
    let following = Following {
        direction: Direction::Outgoing,
        types: Vec::new(),
        min_confidence: None,
        entity_types: Vec::new(),
        ends: Vec::new(),
    };
    let walk = async |mut budget: Budget, depth, limit| {
        let reached = reach(&star, &mut budget, (&[entity(0)], &following), (depth, limit)).await.unwrap();
        (reached.entities.len(), budget.read(), budget.cut_off())
    };
    assert_eq!(walk(Budget::new(), 3, 100).await, (32, 31, None));
    assert_eq!(walk(Budget::new(), 3, 10).await, (10, 30, Some(CutOff::Entities)));
    assert_eq!(walk(Budget::of(30), 1, 100).await, (31, 30, None));
    assert_eq!(walk(Budget::of(30), 2, 100).await, (31, 30, Some(CutOff::Relationships)));
    assert_eq!(walk(Budget::of(12), 3, 100).await, (13, 12, Some(CutOff::Relationships)));
    let late = Budget { until: tokio::time::Instant::now(), ..Budget::new() };
    assert_eq!(walk(late, 3, 100).await, (1, 0, Some(CutOff::Time)));

    // Where each is connected with each there are more ways than can be looked through.
    let streets = (0..14).flat_map(|a| (0..14).filter(move |b| *b != a).map(move |b| edge(a, b)));
    let mut budget = Budget::new();
    let ends = (entity(0), entity(13), &following);
    let found = paths(&Graph(streets.collect()), &mut budget, ends, (6, 0, 100_000)).await.unwrap();
    assert!(!found.is_empty());
    assert_eq!(budget.cut_off(), Some(CutOff::Paths));
}
