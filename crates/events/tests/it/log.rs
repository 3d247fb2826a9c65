//! From the outbox to the log.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::join_all;
use pulse_events::{Log, Sequencer, Waker};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, RequestId};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{drain, fact, write};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_is_in_the_log_once_and_in_order_per_key() {
    const WRITERS: u128 = 8;
    const EACH: i64 = 30;
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    let stop = CancellationToken::new();
    let sequencers: Vec<_> =
        (0..2).map(|_| tokio::spawn(Sequencer::new(store.clone()).run(stop.clone()))).collect();
    join_all((0..WRITERS).map(|writer| {
        let store = store.clone();
        async move {
            for version in 1..=EACH {
                write(&store, org, Uuid::from_u128(writer), version, version % 7 != 0).await;
            }
        }
    }))
    .await;
    stop.cancel();
    join_all(sequencers).await;
    drain(&mut Sequencer::new(store.clone())).await;

    let log = Log::new(store.clone());
    let entries = log.after(0, 10_000).await.unwrap();
    let expected: Vec<i64> = (1..=EACH).filter(|version| version % 7 != 0).collect();
    let positions: Vec<i64> = entries.iter().map(|entry| entry.position).collect();
    let total = i64::try_from(expected.len()).unwrap() * i64::try_from(WRITERS).unwrap();
    assert_eq!(positions, (1..=total).collect::<Vec<_>>(), "positions are dense");
    assert_eq!(log.head().await.unwrap().position, total);
    let mut versions: HashMap<Uuid, Vec<i64>> = HashMap::new();
    for entry in entries {
        assert_eq!(entry.tenant, Some(org));
        versions.entry(entry.key).or_default().push(entry.version);
    }
    for writer in 0..WRITERS {
        assert_eq!(versions[&Uuid::from_u128(writer)], expected);
    }
}

#[tokio::test]
async fn a_late_commit_comes_after_what_was_read_before_it() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    let caller = Arc::new(Caller::system(org, RequestId::new(store.clock().now())));
    // The slow transaction appends first, so it has the lower sequence number, and commits last.
    let mut slow = store.session(caller).write().await.unwrap();
    let append = sqlx::query(
        "INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, at)
         VALUES ($1, 'created', 'test.slow', $1, 1, '{}', '{}', now())",
    );
    slow.execute("test.append", append.bind(org)).await.unwrap();
    write(&store, org, Uuid::nil(), 1, true).await;
    let mut sequencer = Sequencer::new(store.clone());
    drain(&mut sequencer).await;
    let log = Log::new(store.clone());
    let first = log.after(0, 10).await.unwrap();
    assert_eq!(first.len(), 1);
    slow.commit(fact()).await.unwrap();
    drain(&mut sequencer).await;
    let rest = log.after(first[0].position, 10).await.unwrap();
    // It told of nothing by itself, so that its audit fact has an event of its own.
    assert_eq!(rest.iter().map(|entry| &*entry.subject).collect::<Vec<_>>(), ["test.slow", "platform.audit"]);
}

#[tokio::test]
async fn commits_are_told_to_sequencers_of_other_processes() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let mut listener = sqlx::postgres::PgListener::connect_with(&database.pool(1)).await.unwrap();
    listener.listen("pulse_outbox").await.unwrap();
    let stop = CancellationToken::new();
    let waker = tokio::spawn(Waker::new(store.clone(), database.options()).run(stop.clone()));
    write(&store, crate::org(&store), Uuid::nil(), 1, true).await;
    assert_eq!(listener.recv().await.unwrap().channel(), "pulse_outbox");
    stop.cancel();
    waker.await.unwrap();
}

#[tokio::test]
async fn a_running_sequencer_tells_readers_of_the_new_head() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let mut listener = sqlx::postgres::PgListener::connect_with(&database.pool(1)).await.unwrap();
    listener.listen(pulse_events::LOG_CHANNEL).await.unwrap();
    let stop = CancellationToken::new();
    let sequencer = Sequencer::new(store.clone()).listening(database.options());
    let sequencer = tokio::spawn(sequencer.run(stop.clone()));
    write(&store, crate::org(&store), Uuid::nil(), 1, true).await;
    assert_eq!(listener.recv().await.unwrap().payload(), "1");
    stop.cancel();
    sequencer.await.unwrap();
}

#[tokio::test]
async fn a_sweep_of_an_empty_outbox_is_one_statement() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    write(&store, crate::org(&store), Uuid::from_u128(1), 1, true).await;
    let mut sequencer = Sequencer::new(store.clone());
    drain(&mut sequencer).await;
    let before = store.statistics().statements();
    for _ in 0..5 {
        assert_eq!(sequencer.step().await.unwrap(), 0);
    }
    assert_eq!(store.statistics().statements() - before, 5);
}

#[tokio::test]
async fn the_log_makes_its_partitions_ahead() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let mut connection = database.connect().await.unwrap();
    sqlx::query("UPDATE platform.log_head SET position = 999999").execute(&mut connection).await.unwrap();
    let org = crate::org(&store);
    write(&store, org, Uuid::nil(), 1, true).await;
    write(&store, org, Uuid::nil(), 2, true).await;
    drain(&mut Sequencer::new(store.clone())).await;
    let entries = Log::new(store).after(0, 10).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.position).collect::<Vec<_>>(), [1_000_000, 1_000_001]);
}
