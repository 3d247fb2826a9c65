//! Random graphs and walks: both engines give the same, to the letter, also where a walk is cut off.

use std::time::Duration;

use pulse_testkit::Neo4jServer;
use pulse_types::{EntityId, RelationshipId};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::World;
use crate::relationship::of_entities::Direction;
use crate::traversal::{Budget, Edges, Following, Stored, paths, reach, shortest_path};
use crate::{entity, relationship};

const ENTITY_TYPES: [&str; 3] = ["package", "section", "person"];
const TYPES: [&str; 3] = ["likes", "needs", "owns"];
const DIRECTIONS: [Direction; 3] = [Direction::Outgoing, Direction::Incoming, Direction::Both];
const ENTITIES: usize = 12;
const ROUNDS: usize = 6;
const WALKS: usize = 25;
/// What is cut off by time differs from run to run.
const UNHURRIED: Duration = Duration::from_mins(1);

/// What a walk has found, and what it says of itself.
type Found = (String, usize, Option<crate::traversal::CutOff>);

struct Asked {
    starts: Vec<EntityId>,
    following: Following,
    depth: usize,
    limit: usize,
    budget: usize,
}

impl Asked {
    fn random(rng: &mut StdRng, ids: &[EntityId]) -> Self {
        let mut some = |from: &[&str]| -> Vec<String> {
            (0..rng.random_range(0..3))
                .filter_map(|_| from.choose(rng))
                .map(|&name| name.to_owned())
                .collect()
        };
        let (types, entity_types) = (some(&TYPES), some(&ENTITY_TYPES));
        let starts: Vec<EntityId> = (0..2).map(|_| *ids.choose(rng).unwrap()).collect();
        let following = Following {
            direction: *DIRECTIONS.choose(rng).unwrap(),
            types,
            min_confidence: rng.random_bool(0.3).then(|| f64::from(rng.random_range(0..=10)) / 10.0),
            entity_types,
            ends: starts.clone(),
        };
        let budget = if rng.random_bool(0.4) { rng.random_range(1..12) } else { 1_000 };
        Self {
            starts,
            following,
            depth: rng.random_range(1..5),
            limit: rng.random_range(2..ENTITIES),
            budget,
        }
    }

    /// All kinds of walks by one engine.
    async fn walk<E: Edges<Error: std::fmt::Debug>>(&self, engine: &E) -> [Found; 3] {
        let (following, ends) = (&self.following, (self.starts[0], self.starts[1], &self.following));
        let of = |found: String, budget: &Budget| (found, budget.read(), budget.cut_off());
        let mut budget = Budget::within(self.budget, UNHURRIED);
        let reached =
            reach(engine, &mut budget, (&self.starts, following), (self.depth, self.limit)).await.unwrap();
        let reached = of(format!("{reached:?}"), &budget);
        let mut budget = Budget::within(self.budget, UNHURRIED);
        let shortest = shortest_path(engine, &mut budget, ends, self.depth).await.unwrap();
        let shortest = of(format!("{shortest:?}"), &budget);
        let mut budget = Budget::within(self.budget, UNHURRIED);
        let ways = paths(engine, &mut budget, ends, (self.depth, 1, 20)).await.unwrap();
        [reached, shortest, of(format!("{ways:?}"), &budget)]
    }
}

async fn ids<T: From<uuid::Uuid>>(world: &World, table: &str) -> Vec<T> {
    let select = sqlx::AssertSqlSafe(format!("SELECT id FROM entities.{table} ORDER BY id"));
    let ids: Vec<uuid::Uuid> =
        sqlx::query_scalar(select).fetch_all(&mut world.database.connect().await.unwrap()).await.unwrap();
    ids.into_iter().map(T::from).collect()
}

/// Writes, changes and deletes at random.
async fn change(world: &World, rng: &mut StdRng) {
    let entities: Vec<(String, &str)> = (0..ENTITIES)
        .filter_map(|number| {
            let name = *ENTITY_TYPES.choose(rng).unwrap();
            rng.random_bool(0.7).then(|| (format!("e{number}"), name))
        })
        .collect();
    world.write(&entities, &[]).await;
    let relationships: Vec<_> = (0..rng.random_range(5..30))
        .map(|_| {
            let mut end = || entities.choose(rng).unwrap().0.clone();
            let (source, target) = (end(), end());
            let confidence = f64::from(rng.random_range(0..=10)) / 10.0;
            (source, *TYPES.choose(rng).unwrap(), target, confidence)
        })
        .collect();
    // One of the same ends and type is named once in a batch, and again in the next.
    world.write(&[], &relationships).await;
    let session = world.session();
    for id in ids::<uuid::Uuid>(world, "relationships").await {
        if rng.random_bool(0.15) {
            relationship::delete(&session, RelationshipId::from_uuid(id), None).await.ok().unwrap();
        }
    }
    for id in ids::<uuid::Uuid>(world, "entities").await {
        if rng.random_bool(0.1) {
            entity::delete(&session, (EntityId::from_uuid(id), None), false).await.ok().unwrap();
        }
    }
}

#[tokio::test]
async fn both_engines_give_the_same() {
    let seed = rand::random::<u64>();
    let mut rng = StdRng::seed_from_u64(seed);
    let server = Neo4jServer::shared().await.unwrap();
    let world = World::new(server.uri()).await;
    let (mut cut, mut long) = (0, 0);
    for round in 0..ROUNDS {
        change(&world, &mut rng).await;
        world.project().await;
        assert!(world.walks_in_neo4j().await, "seed {seed}, round {round}");
        let ids: Vec<EntityId> =
            ids::<uuid::Uuid>(&world, "entities").await.into_iter().map(EntityId::from_uuid).collect();
        for walk in 0..WALKS {
            let asked = Asked::random(&mut rng, &ids);
            let session = world.session();
            let stored = asked.walk(&Stored::of(&session)).await;
            let projected = asked.walk(&world.projected().await).await;
            assert_eq!(
                projected, stored,
                "seed {seed}, round {round}, walk {walk}: {:?} from {:?}",
                asked.following, asked.starts
            );
            cut += stored.iter().filter(|(.., cut_off)| cut_off.is_some()).count();
            long += stored.iter().filter(|(_, read, _)| *read > 5).count();
        }
        assert_eq!(world.differences().await, Vec::<String>::new(), "seed {seed}, round {round}");
    }
    assert!(cut > 20 && long > 20, "seed {seed}: the walks are too simple to say anything: {cut}, {long}");
}
