//! Those who follow the end of the log.

use std::convert::Infallible;

use bytes::Bytes;
use futures::{FutureExt, StreamExt};
use pulse_cache::{Cache, CacheOptions, Fresh, Freshness, Key, Lookup, Space};
use pulse_events::{Follow, FollowError, Heard, Log, LogCursor, Sequencer, Tail, Topic};
use pulse_store::Store;
use pulse_testkit::TestDatabase;
use pulse_types::{Clock, OrgId, Tag};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::{drain, write, written};

const THINGS: &[&str] = &["test.thing"];

/// A tail that runs until it is dropped, at the log's end.
struct Running {
    tail: Tail,
    _stop: DropGuard,
    _task: JoinHandle<()>,
}

async fn running(database: &TestDatabase, store: &Store) -> Running {
    let (tail, reader) = Tail::new(store);
    let stop = CancellationToken::new();
    let task = tokio::spawn(reader.listening(database.options()).run(stop.clone()));
    tail.position().await;
    Running { tail, _stop: stop.drop_guard(), _task: task }
}

async fn versions(follow: &mut Follow, count: usize) -> Vec<i64> {
    let mut versions = Vec::new();
    for _ in 0..count {
        versions.push(follow.next().await.unwrap().version);
    }
    versions
}

async fn cursor(store: &Store, position: i64) -> LogCursor {
    LogCursor { log: Log::new(store.clone()).head().await.unwrap().name, position }
}

#[tokio::test]
async fn a_follower_hears_what_it_wants_of_its_own_tenant_in_order() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let (ours, theirs) = (crate::org(&store), crate::org(&store));
    let running = running(&database, &store).await;
    let mut all = running.tail.follow(Topic::new(Some(ours), THINGS), None);
    let even = Topic::new(Some(ours), THINGS).filter(|change| change.has("even", "true") == Some(true));
    let mut even = running.tail.follow(even, None);
    let mut nobody = running.tail.follow(Topic::new(None, THINGS), None);
    for follow in [&mut all, &mut even, &mut nobody] {
        follow.start().await.unwrap();
    }
    for version in 1..=6 {
        write(&store, theirs, Uuid::nil(), 100 + version, true).await;
        write(&store, ours, Uuid::nil(), version, version != 3).await;
    }
    drain(&mut Sequencer::new(store.clone())).await;
    assert_eq!(versions(&mut all, 5).await, [1, 2, 4, 5, 6]);
    assert_eq!(versions(&mut even, 3).await, [2, 4, 6]);
    assert!(nobody.next().now_or_never().is_none());
}

#[tokio::test]
async fn one_who_comes_back_hears_what_was_missed_and_then_what_comes() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    // Before this process began: from the log. Later: from memory.
    written(&store, org, 1_200).await;
    let running = running(&database, &store).await;
    written(&store, org, 30).await;
    running.tail.reaches(1_230).await;
    let mut from_log = running.tail.follow(Topic::new(Some(org), THINGS), Some(cursor(&store, 10).await));
    let mut from_memory =
        running.tail.follow(Topic::new(Some(org), THINGS), Some(cursor(&store, 1_210).await));
    from_log.start().await.unwrap();
    from_memory.start().await.unwrap();
    written(&store, org, 5).await;
    let expected: Vec<i64> = (11..=1_200).chain(1..=30).chain(1..=5).collect();
    assert_eq!(versions(&mut from_log, expected.len()).await, expected);
    let before = store.statistics().statements();
    let expected: Vec<i64> = (11..=30).chain(1..=5).collect();
    assert_eq!(versions(&mut from_memory, expected.len()).await, expected);
    assert_eq!(store.statistics().statements(), before, "what is in memory costs no statement");
}

#[tokio::test]
async fn a_follower_that_does_not_read_misses_nothing() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    let running = running(&database, &store).await;
    let mut slow = running.tail.follow(Topic::new(Some(org), THINGS), None);
    slow.start().await.unwrap();
    written(&store, org, 500).await;
    running.tail.reaches(500).await;
    assert_eq!(versions(&mut slow, 500).await, (1..=500).collect::<Vec<_>>());
    written(&store, org, 1).await;
    assert_eq!(versions(&mut slow, 1).await, [1]);
}

#[tokio::test]
async fn cursors_that_lead_nowhere_say_why() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    written(&store, org, 3).await;
    let running = running(&database, &store).await;
    let begin = async |after| running.tail.follow(Topic::new(Some(org), THINGS), Some(after)).start().await;
    let other = LogCursor { log: "another".to_owned(), position: 1 };
    assert!(matches!(begin(other).await, Err(FollowError::OtherLog)));
    assert!(matches!(begin(cursor(&store, 4).await).await, Err(FollowError::Ahead)));
    let mut connection = database.connect().await.unwrap();
    sqlx::query("UPDATE platform.log_head SET oldest = 3").execute(&mut connection).await.unwrap();
    assert!(matches!(begin(cursor(&store, 1).await).await, Err(FollowError::Expired)));
    assert!(begin(cursor(&store, 2).await).await.is_ok());
}

#[tokio::test]
async fn one_who_hears_everything_is_told_of_gaps() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    let running = running(&database, &store).await;
    let mut everything = running.tail.everything();
    written(&store, org, 2).await;
    for expected in [1, 2] {
        let Some(Heard::Change(change)) = everything.next().await else { panic!("a gap") };
        assert_eq!((change.version, change.tenant), (expected, Some::<OrgId>(org)));
    }
    let mut connection = database.connect().await.unwrap();
    let many = "INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, at)
                SELECT $1, 'created', 'test.thing', gen_random_uuid(), n, '{}', '{}', now() FROM generate_series(1, 9000) AS n";
    sqlx::query(many).bind(org).execute(&mut connection).await.unwrap();
    drain(&mut Sequencer::new(store.clone())).await;
    running.tail.reaches(9_002).await;
    assert!(matches!(everything.next().await, Some(Heard::Gap)));
}

#[tokio::test]
async fn a_tail_goes_on_when_the_server_has_cut_its_connections() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    let running = running(&database, &store).await;
    let mut follow = running.tail.follow(Topic::new(Some(org), THINGS), None);
    follow.start().await.unwrap();
    let mut connection = database.connect().await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(cut).execute(&mut connection).await.unwrap();
    written(&store, org, 3).await;
    assert_eq!(versions(&mut follow, 3).await, [1, 2, 3]);
}

/// Loads a version, or gives what is kept of it.
async fn kept(cache: &Cache, org: OrgId, version: i64) -> Bytes {
    let load = || async {
        let value = Bytes::from(version.to_string());
        Ok::<_, Infallible>(Fresh::new(value, vec![Tag::row("test.thing", Uuid::nil())]))
    };
    let lookup = Lookup::new(Space::new("test", 1), Freshness::AsHeard);
    cache.get_or_load(&lookup, Key::of_tenant(org, "thing"), load).await.unwrap().value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_of_a_change_never_reads_what_was_kept_before_it() {
    let database = TestDatabase::new().await.unwrap();
    // The one who writes is another process: its commits are heard of through the log alone.
    let elsewhere = crate::store(&database);
    let cache = Cache::new(CacheOptions::new(Clock::system()));
    let store = crate::store(&database).cached(cache.clone());
    let org = crate::org(&store);
    let running = running(&database, &store).await;
    let mut follow = running.tail.follow(Topic::new(Some(org), THINGS), None);
    let mut everything = running.tail.everything();
    follow.start().await.unwrap();
    let mut sequencer = Sequencer::new(elsewhere.clone());
    for version in 1..=50 {
        assert_eq!(kept(&cache, org, version - 1).await, (version - 1).to_string());
        assert_eq!(kept(&cache, org, version).await, (version - 1).to_string(), "it is kept");
        write(&elsewhere, org, Uuid::nil(), version, true).await;
        drain(&mut sequencer).await;
        let told = if version % 2 == 0 {
            follow.next().await.unwrap().version
        } else {
            let Some(Heard::Change(change)) = everything.next().await else { panic!("a gap") };
            change.version
        };
        assert_eq!(told, version);
        assert_eq!(kept(&cache, org, version).await, version.to_string());
        // Of those who hear of it the other one is next.
        if version % 2 == 0 { drop(everything.next().await) } else { drop(follow.next().await) }
    }
}
