//! Many writers, readers that come and go, processes that end at any point: every committed event exactly once, in order
//! per key, none missing.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use pulse_events::{
    Begin, Consumer, ConsumerError, GroupOptions, GroupRunner, Handling, Log, LogCursor, Sequencer, Step,
    Tail, Topic,
};
use pulse_store::{Event, EventKind, PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Change, Clock, OrgId, ProcessId, RequestId};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::json;
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const WRITERS: u64 = 32;
const KEYS: u128 = 12;
const THINGS: &[&str] = &["test.thing"];

/// How much is done; more by `PULSE_SOAK_ROUNDS`, from another seed by `PULSE_SOAK_SEED`.
struct Extent {
    seed: u64,
    transactions: u64,
}

impl Extent {
    fn of_environment() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a test is told by its environment how long it may take"
        )]
        let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
        let extent =
            Self { seed: number("PULSE_SOAK_SEED", 1), transactions: number("PULSE_SOAK_ROUNDS", 12) };
        eprintln!("seed {}, {} transactions of each of {WRITERS} writers", extent.seed, extent.transactions);
        extent
    }

    fn random(&self, stream: u64) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(stream))
    }
}

/// Transactions of random length that overlap; some are abandoned.
async fn writer(store: Store, org: OrgId, (mut random, ticks): (StdRng, Arc<Notify>), transactions: u64) {
    for _ in 0..transactions {
        ticks.notify_waiters();
        let caller = Arc::new(Caller::system(org, RequestId::new(store.clock().now())));
        let mut write = store.session(caller).write().await.unwrap();
        let mut keys: Vec<u128> =
            (0..random.random_range(1..4)).map(|_| random.random_range(0..KEYS)).collect();
        // In one order, so that no two transactions wait for each other.
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let change = sqlx::query_as(
                "UPDATE test_things SET version = version + 1 WHERE key = $1 RETURNING version",
            );
            let key = Uuid::from_u128(key);
            let (version,): (i64,) = write.fetch_one("test.change", change.bind(key)).await.unwrap();
            let linger = sqlx::query("SELECT pg_sleep($1)").bind(random.random_range(0.0..0.004));
            write.execute("test.linger", linger).await.unwrap();
            write.event(Event {
                kind: EventKind::Updated,
                subject: "test.thing",
                key,
                version,
                changed: vec![],
                attributes: json!({}),
                before: json!(null),
            });
        }
        if random.random_bool(0.8) {
            write.commit(crate::fact()).await.unwrap();
        }
    }
}

/// Writes each position that it is handed into a table, in the transaction that moves the group.
struct Ledger;

#[async_trait]
impl Consumer for Ledger {
    fn name(&self) -> &'static str {
        "test.ledger"
    }

    fn begin(&self) -> Begin {
        Begin::Oldest
    }

    fn wants(&self, change: &Change) -> bool {
        &*change.subject == "test.thing"
    }

    async fn handle(&self, changes: &[&Change], handling: &mut Handling<'_>) -> Result<(), ConsumerError> {
        let positions: Vec<i64> = changes.iter().map(|change| change.position).collect();
        let insert =
            sqlx::query("INSERT INTO test_seen (position) SELECT unnest($1::bigint[])").bind(positions);
        handling.system().await?.execute("test.see", insert).await?;
        Ok(())
    }
}

/// Work that is ended after a random number of `ticks`, without a word, and begun again, until `stop`.
async fn restless<F: Future<Output = ()> + Send + 'static>(
    (stop, ticks): (CancellationToken, Arc<Notify>),
    mut random: StdRng,
    start: impl Fn() -> F,
) {
    while !stop.is_cancelled() {
        let work = tokio::spawn(start());
        for _ in 0..random.random_range(1..40) {
            tokio::select! {
                () = stop.cancelled() => break,
                () = ticks.notified() => {}
            }
        }
        work.abort();
        drop(work.await);
    }
}

fn runner(store: &Store, tail: &Tail) -> GroupRunner {
    let lease = Duration::from_millis(300);
    let options =
        GroupOptions { batch: 7, lease, backoff: Duration::from_millis(5), ..GroupOptions::default() };
    GroupRunner::new(store.clone(), tail.clone(), Arc::new(Ledger), ProcessId::new(store.clock().now()))
        .options(options)
}

/// Follows by cursor, over one process after the other, until it has heard of the last position.
async fn follower(
    store: Store,
    database: sqlx::postgres::PgConnectOptions,
    org: OrgId,
    mut random: StdRng,
    done: CancellationToken,
) -> Vec<Arc<Change>> {
    let log = Log::new(store.clone());
    let mut heard: Vec<Arc<Change>> = Vec::new();
    loop {
        let (tail, reader) = Tail::new(&store);
        let stop = CancellationToken::new();
        let reading = tokio::spawn(reader.listening(database.clone()).run(stop.clone()));
        let name = log.head().await.unwrap().name;
        let position = heard.last().map_or(0, |change| change.position);
        let cursor = LogCursor { log: name, position };
        let mut follow = tail.follow(Topic::new(Some(org), THINGS), Some(cursor));
        let many = random.random_range(1..120);
        for _ in 0..many {
            // Once nothing more is written, the head is the end.
            let end = done.is_cancelled().then_some(log.head().await.unwrap().position);
            if end.is_some_and(|end| heard.last().map_or(0, |change| change.position) >= end) {
                stop.cancel();
                reading.await.unwrap();
                return heard;
            }
            tokio::select! {
                change = follow.next() => heard.push(change.unwrap()),
                () = done.cancelled(), if end.is_none() => {}
            }
        }
        reading.abort();
    }
}

async fn tables(database: &TestDatabase) -> PgPool {
    let pool = database.pool(2);
    let statements = [
        "CREATE TABLE test_things (key uuid PRIMARY KEY, version bigint NOT NULL)",
        "CREATE TABLE test_seen (position bigint PRIMARY KEY)",
        "GRANT SELECT, UPDATE ON test_things TO pulse_app",
        "GRANT INSERT ON test_seen TO pulse_system",
    ];
    for statement in statements {
        sqlx::query(statement).execute(&pool).await.unwrap();
    }
    for key in 0..KEYS {
        sqlx::query("INSERT INTO test_things VALUES ($1, 0)")
            .bind(Uuid::from_u128(key))
            .execute(&pool)
            .await
            .unwrap();
    }
    pool
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_committed_event_comes_exactly_once_whatever_ends() {
    let extent = Extent::of_environment();
    let database = TestDatabase::new().await.unwrap();
    let pool = tables(&database).await;
    let options = PoolOptions {
        max_connections: 45,
        acquire_timeout: Duration::from_mins(1),
        ..PoolOptions::default()
    };
    let store = Store::new(database.options(), &options, Clock::system());
    let org = crate::org(&store);
    let (stop, done) = (CancellationToken::new(), CancellationToken::new());
    let ticks = Arc::new(Notify::new());

    let mut restless_ones = Vec::new();
    for n in 0..2 {
        let (store, random) = (store.clone(), extent.random(100 + n));
        let start = move || Sequencer::new(store.clone()).run(CancellationToken::new());
        restless_ones.push(tokio::spawn(restless((stop.clone(), Arc::clone(&ticks)), random, start)));
    }
    let (tail, _) = Tail::new(&store);
    for n in 0..3 {
        let (store, tail, random) = (store.clone(), tail.clone(), extent.random(200 + n));
        let start = move || runner(&store, &tail).run(CancellationToken::new());
        restless_ones.push(tokio::spawn(restless((stop.clone(), Arc::clone(&ticks)), random, start)));
    }
    let followers = (0..3).map(|n| {
        let random = extent.random(300 + n);
        tokio::spawn(follower(store.clone(), database.options(), org, random, done.clone()))
    });
    let followers: Vec<_> = followers.collect();
    let writers = (0..WRITERS)
        .map(|n| writer(store.clone(), org, (extent.random(n), Arc::clone(&ticks)), extent.transactions));
    join_all(writers).await;
    stop.cancel();
    join_all(restless_ones).await;
    empty_outbox(&store, &pool).await;
    done.cancel();

    let expected = check_log(&store, &pool).await;
    for heard in join_all(followers).await {
        let heard: Vec<i64> = heard.unwrap().iter().map(|change| change.position).collect();
        assert_eq!(heard, expected, "a follower hears everything once and in order");
    }
    let mut last = runner(&store, &tail);
    loop {
        match last.step().await.unwrap() {
            Step::Idle => break,
            // The lease of one that was ended has to run out.
            Step::NotOurs => tokio::task::yield_now().await,
            Step::Handled(_) => {}
            other => panic!("{other:?}"),
        }
    }
    let seen: Vec<(i64,)> =
        sqlx::query_as("SELECT position FROM test_seen ORDER BY position").fetch_all(&pool).await.unwrap();
    assert_eq!(seen.into_iter().map(|(position,)| position).collect::<Vec<_>>(), expected);
}

/// Moves the rest to the log. A sequencer that was ended may hold the lock for as long as the server does not know.
async fn empty_outbox(store: &Store, pool: &PgPool) {
    let mut sequencer = Sequencer::new(store.clone());
    let mut left = true;
    while left {
        sequencer.step().await.unwrap();
        (left,) =
            sqlx::query_as("SELECT EXISTS (SELECT FROM platform.outbox)").fetch_one(pool).await.unwrap();
    }
}

/// The log has every committed change once, and those of a key in order; the positions.
async fn check_log(store: &Store, pool: &PgPool) -> Vec<i64> {
    let changes = Log::new(store.clone()).after(0, 1_000_000).await.unwrap();
    let mut versions: HashMap<Uuid, i64> = HashMap::new();
    for change in &changes {
        let last = versions.entry(change.key).or_default();
        assert_eq!(change.version, *last + 1, "the changes of a key come in order, and none is missing");
        *last = change.version;
    }
    let rows: Vec<(Uuid, i64)> =
        sqlx::query_as("SELECT key, version FROM test_things").fetch_all(pool).await.unwrap();
    let rows: BTreeMap<_, _> = rows.into_iter().filter(|(_, version)| *version > 0).collect();
    assert_eq!(versions.into_iter().collect::<BTreeMap<_, _>>(), rows);
    let positions: Vec<i64> = changes.iter().map(|change| change.position).collect();
    assert_eq!(positions, (1..=i64::try_from(changes.len()).unwrap()).collect::<Vec<_>>());
    positions
}
