//! When the copy is walked through, and how it is put right.

use neo4rs::Query;
use pulse_testkit::Neo4jServer;
use pulse_types::OrgId;

use super::super::{ProjectionError, of_tenant};
use super::{Step, World, client};

fn chain(from: usize, to: usize) -> Vec<(String, &'static str, String, f64)> {
    (from..to).map(|number| (format!("e{number}"), "needs", format!("e{}", number + 1), 1.0)).collect()
}

fn entities(from: usize, to: usize) -> Vec<(String, &'static str)> {
    (from..to).map(|number| (format!("e{number}"), "package")).collect()
}

#[tokio::test]
async fn a_copy_that_is_behind_is_not_walked_through() {
    let server = Neo4jServer::shared().await.unwrap();
    let world = World::new(server.uri()).await;
    assert!(!world.walks_in_neo4j().await, "there is no copy yet");
    world.write(&entities(0, 5), &chain(0, 4)).await;
    world.project().await;
    assert!(world.walks_in_neo4j().await);
    world.write(&entities(5, 6), &chain(4, 5)).await;
    assert!(!world.walks_in_neo4j().await, "the write is on its way to the log");
    world.sequence().await;
    assert!(!world.walks_in_neo4j().await, "the log has what the copy does not");
    world.project().await;
    assert!(world.walks_in_neo4j().await);
    // A snapshot from before the copy's last change sees something else.
    let session = world.session();
    let (_,): (i32,) = session.fetch_one("test.open", sqlx::query_as("SELECT 1")).await.unwrap();
    world.write(&entities(6, 7), &chain(5, 6)).await;
    world.project().await;
    let walk = crate::traversal::Walk::new(&session, Some(&world.neo4j)).choose().await.unwrap();
    assert!(!walk.is_projected(), "the copy is ahead of the snapshot");
}

#[tokio::test]
async fn a_part_that_changes_while_it_is_walked_through_is_noticed() {
    let server = Neo4jServer::shared().await.unwrap();
    let world = World::new(server.uri()).await;
    world.write(&entities(0, 3), &chain(0, 2)).await;
    world.project().await;
    let part = world.projected().await;
    assert!(part.is_unchanged().await.unwrap());
    world.write(&entities(3, 4), &[]).await;
    world.project().await;
    assert!(!part.is_unchanged().await.unwrap());
    let part = world.projected().await;
    world.projector.rebuild(Some(world.org), |_| {}).await.unwrap();
    assert!(!part.is_unchanged().await.unwrap(), "it was read anew");
}

#[tokio::test]
async fn differences_are_found_and_repaired() {
    let server = Neo4jServer::shared().await.unwrap();
    let world = World::new(server.uri()).await;
    world.write(&entities(0, 20), &chain(0, 19)).await;
    world.project().await;
    assert_eq!(world.differences().await, Vec::<String>::new());
    for harm in [
        "MATCH (e:TENANT) WHERE COUNT { (e)--() } = 1 WITH e LIMIT 1 DETACH DELETE e",
        "MATCH (:TENANT)-[r:R]->() WITH r LIMIT 2 SET r.confidence = 0.5",
        "CREATE (:TENANT {id: 'nobody', type: 'ghost', version: 1})",
    ] {
        let mut writing = world.neo4j.begin().await.unwrap();
        writing.run(Query::new(of_tenant(harm, world.org))).await.unwrap();
        writing.commit().await.unwrap();
    }
    assert_eq!(
        world.differences().await,
        [
            "entity ghost: 0 in PostgreSQL, 1 in Neo4j",
            "entity package: 20 in PostgreSQL, 19 in Neo4j",
            "relationship needs: 19 in PostgreSQL, 18 in Neo4j",
        ]
    );
    assert_eq!(world.projector.rebuild(Some(world.org), |_| {}).await.unwrap(), 1);
    assert_eq!(world.differences().await, Vec::<String>::new());
    assert!(world.walks_in_neo4j().await);
}

#[tokio::test]
async fn tenants_are_apart_and_a_copy_of_many_begins_with_their_rows() {
    let server = Neo4jServer::shared().await.unwrap();
    let mut world = World::new(server.uri()).await;
    world.write(&entities(0, 10), &chain(0, 9)).await;
    let first = world.org;
    world.org = OrgId::new(world.store.clock().now());
    world.write(&entities(0, 3), &[]).await;
    // Nothing has been copied yet: both parts are read from their rows, and none of it comes from the log.
    world.sequence().await;
    let mut read = Vec::new();
    loop {
        match world.projector.step().await.unwrap() {
            Step::Read(tenant) => read.push(tenant),
            Step::Idle => break,
            other @ (Step::Applied(_) | Step::NotOurs) => panic!("{other:?}"),
        }
    }
    read.sort_unstable();
    let mut both = vec![first, world.org];
    both.sort_unstable();
    assert_eq!(read, both);
    let verified = world.projector.verify(None, |_| {}).await.unwrap();
    assert_eq!((verified.tenants, verified.things, verified.differences), (2, 22, vec![]));
}

#[tokio::test]
async fn who_has_lost_the_copy_writes_no_more() {
    let server = Neo4jServer::shared().await.unwrap();
    let world = World::new(server.uri()).await;
    world.write(&entities(0, 3), &[]).await;
    world.project().await;
    let other = super::Projector::new(
        world.store.clone(),
        pulse_events::Tail::new(&world.store).0,
        client(server.uri()),
    );
    while other.step().await.unwrap() != Step::Idle {}
    world.write(&entities(3, 6), &chain(0, 5)).await;
    world.sequence().await;
    assert!(world.projector.step().await.is_err(), "the other has taken over");
    while other.step().await.unwrap() != Step::Idle {}
    assert_eq!(world.differences().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_that_the_log_does_not_reach_back_to_begins_anew() {
    let server = Neo4jServer::shared().await.unwrap();
    let world = World::new(server.uri()).await;
    world.write(&entities(0, 3), &chain(0, 2)).await;
    world.project().await;
    world.write(&entities(3, 6), &chain(2, 5)).await;
    world.sequence().await;
    // As retention does, which takes the oldest part of the log at once.
    let mut owner = world.database.connect().await.unwrap();
    for statement in [
        "DELETE FROM platform.log WHERE position < (SELECT position FROM platform.log_head)",
        "UPDATE platform.log_head SET oldest = position",
    ] {
        sqlx::query(statement).execute(&mut owner).await.unwrap();
    }
    assert!(!world.walks_in_neo4j().await, "what it lacks is not in the log any more");
    assert!(matches!(world.projector.step().await, Err(ProjectionError::LogDropped(_))));
    world.project().await;
    assert!(world.walks_in_neo4j().await);
    assert_eq!(world.differences().await, Vec::<String>::new());
}
