//! Neo4j killed, cut off, and started with an empty disk, while ten thousand things are written: no read is wrong or fails, and at
//! the end the copy is whole.

use std::sync::Arc;
use std::time::Duration;

use pulse_events::{Sequencer, Tail};
use pulse_graphql::{Service, Subgraph};
use pulse_testkit::Neo4jServer;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::proxy::Proxy;
use super::{Projector, Step, World, patient};

const BATCHES: usize = 200;
/// Entities of a batch; it has as many relationships.
const BATCH: usize = 25;

const WALKS: &str = "query ($newest: ID!, $oldest: ID!, $other: ID!) {
    around: subgraph(from: [$newest], direction: BOTH, depth: 3, limit: 200) {
        nodes { distance entity { key type } } edges { type source { key } target { key } } cutOff relationshipsRead
    }
    shortest: shortestPath(from: $newest, to: $other, maxHops: 6) { path { nodes { key } edges { type } } cutOff relationshipsRead }
    ways: paths(from: $other, to: $oldest, direction: INCOMING, maxHops: 3) { nodes { length nodes { key } } cutOff }
}";

/// The entities of a batch in a row, which hangs on the one before.
async fn write(world: &World, batch: usize) {
    let first = batch * BATCH;
    let entities: Vec<_> =
        (first..first + BATCH).map(|number| (format!("e{number}"), ["a", "b"][number % 2])).collect();
    let relationships: Vec<_> = (first..first + BATCH)
        .map(|number| (format!("e{number}"), "follows", format!("e{}", number.saturating_sub(1)), 1.0))
        .collect();
    world.write(&entities, &relationships).await;
}

/// Asks with and without the copy, right after a write: both know of it, and are the same.
async fn compare(world: &World, [with, without]: [&Subgraph; 2], batch: usize) {
    let newest = (batch + 1) * BATCH - 1;
    let key = |back: usize| format!("e{}", newest - back);
    let variables = json!({
        "newest": world.id_of(without, key(0)).await,
        "other": world.id_of(without, key(4)).await,
        "oldest": world.id_of(without, key(2)).await,
    });
    let [with, without] =
        [world.walk(with, (WALKS, &variables)).await, world.walk(without, (WALKS, &variables)).await];
    assert_eq!(with, without, "batch {batch}");
    assert_eq!(with["around"]["nodes"].as_array().map(Vec::len), Some(4), "batch {batch}: {with}");
    assert_eq!(with["shortest"]["path"]["edges"].as_array().map(Vec::len), Some(4), "batch {batch}: {with}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_to_neo4j_no_read_is_wrong_and_the_copy_becomes_whole() {
    let first = Neo4jServer::start().await.unwrap();
    let proxy = Proxy::to(first.address().to_owned()).await;
    let world = World::with(patient(format!("bolt://{}", proxy.address), Duration::from_secs(1))).await;
    let stop = CancellationToken::new();
    let (tail, reader) = Tail::new(&world.store);
    let projector = Arc::new(Projector::new(world.store.clone(), tail.clone(), world.neo4j.clone()));
    let tasks = [
        tokio::spawn(Sequencer::new(world.store.clone()).run(stop.clone())),
        tokio::spawn(reader.run(stop.clone())),
        tokio::spawn(Arc::clone(&projector).run(stop.clone())),
    ];
    let with = crate::subgraph_with(world.store.clone(), tail.clone(), Some(world.neo4j.clone()));
    let without = crate::subgraph(world.store.clone(), tail);
    let (mut server, mut restarting) = (Some(first), None);
    for batch in 0..BATCHES {
        match batch {
            40 => server.as_mut().unwrap().kill().unwrap(),
            70 => restarting = server.take().map(restart),
            100 => {
                server = Some(restarting.take().unwrap().await.unwrap());
                proxy.cut();
            }
            120 => proxy.mend(),
            140 => {
                let mut killed = server.take().unwrap();
                killed.kill().unwrap();
                killed.empty().unwrap();
                restarting = Some(restart(killed));
            }
            170 => server = Some(restarting.take().unwrap().await.unwrap()),
            _ => {}
        }
        write(&world, batch).await;
        compare(&world, [&with, &without], batch).await;
        if batch == 20 {
            // Whoever has seen the copy only from afar has shown nothing.
            become_whole(&world, &projector).await;
            compare(&world, [&with, &without], batch).await;
        }
    }
    become_whole(&world, &projector).await;
    stop.cancel();
    for task in tasks {
        task.await.unwrap();
    }
    let verified = world.projector.verify(None, |_| {}).await.unwrap();
    let things = 2 * (BATCHES * BATCH) as u64;
    assert_eq!((verified.tenants, verified.things, verified.differences), (1, things, vec![]));
    assert!(world.walks_in_neo4j().await, "a copy that is whole is walked through");
    drop(server);
}

fn restart(mut server: Neo4jServer) -> tokio::task::JoinHandle<Neo4jServer> {
    tokio::spawn(async move {
        server.restart().await.unwrap();
        server
    })
}

/// Lets the copy come up to the log's end. The limit is for a test that fails.
async fn become_whole(world: &World, projector: &Projector) {
    let limit = Duration::from_mins(2);
    let whole = async {
        while !world.walks_in_neo4j().await {
            world.sequence().await;
            if !matches!(projector.step().await, Ok(Step::Applied(_) | Step::Read(_))) {
                tokio::task::yield_now().await;
            }
        }
    };
    tokio::time::timeout(limit, whole).await.expect("the copy becomes whole");
}
