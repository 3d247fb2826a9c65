//! The log through a real Redis.

use pulse_events::{Follow, LogCursor, Publisher, Relay, Tail, Topic};
use pulse_store::Store;
use pulse_testkit::{RedisServer, TestDatabase};
use pulse_types::{OrgId, ProcessId};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::written;

const THINGS: &[&str] = &["test.thing"];

fn relay(redis: &RedisServer) -> Relay {
    Relay::try_new(&redis.url(), "pulse").unwrap()
}

/// A process that reads the log itself and publishes it.
struct Publishing {
    tail: Tail,
    store: Store,
    task: JoinHandle<()>,
    _reader: JoinHandle<()>,
}

impl Publishing {
    async fn start(database: &TestDatabase, redis: &RedisServer) -> Self {
        let store = crate::store(database);
        let (tail, reader) = Tail::new(&store);
        let reader = tokio::spawn(reader.listening(database.options()).run(CancellationToken::new()));
        tail.position().await;
        let me = ProcessId::new(store.clock().now());
        let publisher = Publisher::new(store.clone(), tail.clone(), relay(redis), me);
        let task = tokio::spawn(publisher.run(CancellationToken::new()));
        Self { tail, store, task, _reader: reader }
    }
}

/// A process that is told by Redis alone, from behind `after`.
async fn listening(
    database: &TestDatabase,
    redis: &RedisServer,
    org: OrgId,
    after: LogCursor,
) -> (Store, Follow) {
    let store = crate::store(database);
    let (tail, reader) = Tail::new(&store);
    tokio::spawn(reader.through(Some(relay(redis))).run(CancellationToken::new()));
    let mut follow = tail.follow(Topic::new(Some(org), THINGS), Some(after));
    follow.start().await.unwrap();
    (store, follow)
}

async fn positions(follow: &mut Follow, count: usize) -> Vec<i64> {
    let mut positions = Vec::new();
    for _ in 0..count {
        positions.push(follow.next().await.unwrap().position);
    }
    positions
}

#[tokio::test]
async fn what_one_process_publishes_others_hear_without_a_statement() {
    let (database, redis) = (TestDatabase::new().await.unwrap(), RedisServer::start().await.unwrap());
    let publishing = Publishing::start(&database, &redis).await;
    let org = crate::org(&publishing.store);
    let after = publishing.tail.cursor(0).unwrap();
    let (store, mut follow) = listening(&database, &redis, org, after).await;
    written(&publishing.store, org, 5).await;
    assert_eq!(positions(&mut follow, 5).await, [1, 2, 3, 4, 5]);
    let before = store.statistics().statements();
    written(&publishing.store, org, 300).await;
    assert_eq!(positions(&mut follow, 300).await, (6..=305).collect::<Vec<_>>());
    // One statement may be the look at the log that a silent stream brings about.
    assert!(
        store.statistics().statements() <= before + 1,
        "{} statements",
        store.statistics().statements() - before
    );
}

#[tokio::test]
async fn a_redis_that_is_lost_and_comes_back_empty_costs_no_event() {
    let (database, mut redis) = (TestDatabase::new().await.unwrap(), RedisServer::start().await.unwrap());
    let publishing = Publishing::start(&database, &redis).await;
    let org = crate::org(&publishing.store);
    let (_, mut follow) = listening(&database, &redis, org, publishing.tail.cursor(0).unwrap()).await;
    let mut heard = 0;
    for round in 0..3 {
        written(&publishing.store, org, 20).await;
        assert_eq!(positions(&mut follow, 20).await, (heard + 1..=heard + 20).collect::<Vec<_>>());
        heard += 20;
        if round % 2 == 0 {
            redis.kill().unwrap();
        } else {
            redis.restart().await.unwrap();
        }
    }
}

#[tokio::test]
async fn another_process_publishes_when_one_is_gone() {
    let (database, redis) = (TestDatabase::new().await.unwrap(), RedisServer::start().await.unwrap());
    let first = Publishing::start(&database, &redis).await;
    let org = crate::org(&first.store);
    let (_, mut follow) = listening(&database, &redis, org, first.tail.cursor(0).unwrap()).await;
    written(&first.store, org, 10).await;
    assert_eq!(positions(&mut follow, 10).await, (1..=10).collect::<Vec<_>>());
    // Without a word: its lease has to run out.
    first.task.abort();
    let second = Publishing::start(&database, &redis).await;
    written(&second.store, org, 10).await;
    assert_eq!(positions(&mut follow, 10).await, (11..=20).collect::<Vec<_>>());
}
