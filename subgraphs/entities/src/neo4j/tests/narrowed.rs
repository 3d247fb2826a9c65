//! Callers who do not see all of their tenant.

use std::sync::Arc;

use pulse_events::Tail;
use pulse_testkit::Neo4jServer;
use pulse_types::{Caller, Effect, Permission, Permissions, Resource, ResourceKind, Role, Subject, UserId};
use serde_json::{Value, json};
use uuid::Uuid;

use super::World;
use crate::traversal::Walk;

const WALKS: &str = "query ($a: ID!, $d: ID!) {
    around: subgraph(from: [$a], direction: BOTH, depth: 4) {
        nodes { distance entity { key } } edges { type source { key } target { key } } cutOff relationshipsRead
    }
    through: subgraph(from: [$a], depth: 4, limit: 3, filter: { entityTypes: [\"package\"] }) {
        nodes { entity { key } } cutOff relationshipsRead
    }
    shortest: shortestPath(from: $a, to: $d) { path { nodes { key } } cutOff relationshipsRead }
    ways: paths(from: $a, to: $d) { nodes { nodes { key } } totalCount cutOff relationshipsRead }
}";

fn relationships() -> Vec<(String, &'static str, String, f64)> {
    [("a", "b"), ("b", "d"), ("a", "c"), ("c", "e"), ("e", "d"), ("d", "a")]
        .map(|(source, target)| (source.to_owned(), "needs", target.to_owned(), 1.0))
        .into()
}

fn entities() -> Vec<(String, &'static str)> {
    ["a", "b", "c", "d", "e"].map(|key| (key.to_owned(), "package")).into()
}

/// Somebody with these permissions, and what is said of an entity.
fn person(world: &World, permissions: Permissions, said: &[(Effect, &Value)]) -> Arc<Caller> {
    let right = |(effect, id): &(Effect, &Value)| {
        let id: Uuid = id.as_str().unwrap().parse().unwrap();
        (*effect, Permission::ENTITY_READ, Resource::new(ResourceKind::ENTITY, id))
    };
    let subject = Subject::User(UserId::new(world.store.clock().now()));
    let rights = said.iter().map(right).collect();
    Arc::new(Caller { subject, permissions, rights, ..(*world.caller()).clone() })
}

#[tokio::test]
async fn who_does_not_see_all_finds_the_same_with_a_copy_as_without() {
    let server = Neo4jServer::shared().await.unwrap();
    let world = World::new(server.uri()).await;
    world.write(&entities(), &relationships()).await;
    world.project().await;
    let tail = Tail::new(&world.store).0;
    let with = crate::subgraph_with(world.store.clone(), tail.clone(), Some(world.neo4j.clone()));
    let without = crate::subgraph(world.store.clone(), tail);
    let mut ids = Vec::new();
    for (key, _) in entities() {
        ids.push(world.id_of(&without, key).await);
    }
    let [a, b, c, d, _] = &ids[..] else { panic!("five were written") };
    let admin = || Role::Admin.permissions();
    let alone: Permissions = [Permission::RELATIONSHIP_READ].into_iter().collect();
    // Who asks, whether they see all, and the ways from a to d that they find.
    let callers = [
        (world.caller(), true, 2),
        (person(&world, admin(), &[]), true, 2),
        (person(&world, admin(), &[(Effect::Deny, b)]), false, 1),
        (person(&world, admin(), &[(Effect::Deny, b), (Effect::Deny, c)]), false, 0),
        (person(&world, alone, &[(Effect::Allow, a), (Effect::Allow, b), (Effect::Allow, d)]), false, 1),
    ];
    let variables = json!({ "a": a, "d": d });
    for (caller, sees_all, ways) in &callers {
        let session = world.store.session(Arc::clone(caller));
        let walk = Walk::new(&session, Some(&world.neo4j)).choose().await.unwrap();
        assert_eq!(walk.is_projected(), *sees_all, "{caller:?}");
        let walks = (WALKS, &variables);
        let found = world.walk_as((&with, caller), walks).await;
        assert_eq!(found, world.walk_as((&without, caller), walks).await, "{caller:?}");
        assert_eq!(found["ways"]["totalCount"], json!(ways), "{caller:?}: {found}");
    }
}
