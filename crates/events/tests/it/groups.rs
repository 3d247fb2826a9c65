//! Consumer groups.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use pulse_events::{Begin, Consumer, ConsumerError, GroupOptions, GroupRunner, Groups, Handling, Step, Tail};
use pulse_store::{PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Change, Clock, ProcessId};
use uuid::Uuid;

use crate::written;

/// Writes down what it is handed, and fails for one version as often as it is told to.
#[derive(Default)]
struct Recorder {
    seen: Mutex<Vec<i64>>,
    /// Handed in together.
    batches: Mutex<Vec<usize>>,
    failing: AtomicI64,
    fatal: bool,
}

#[async_trait]
impl Consumer for Recorder {
    fn name(&self) -> &'static str {
        "test.recorder"
    }

    fn begin(&self) -> Begin {
        Begin::Oldest
    }

    fn wants(&self, change: &Change) -> bool {
        &*change.subject == "test.thing"
    }

    async fn handle(&self, changes: &[&Change], _: &mut Handling<'_>) -> Result<(), ConsumerError> {
        let failing = self.failing.load(Ordering::SeqCst);
        if changes.iter().any(|change| change.version == failing) {
            let why = "cannot do that".to_owned();
            return Err(if self.fatal { ConsumerError::Fatal(why) } else { ConsumerError::Retry(why) });
        }
        self.batches.lock().unwrap().push(changes.len());
        self.seen.lock().unwrap().extend(changes.iter().map(|change| change.version));
        Ok(())
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone, Default)]
struct Hands(Arc<Mutex<TimeDelta>>);

impl Hands {
    fn clock(&self) -> Clock {
        let hands = self.clone();
        let start = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        Clock::from_fn(move || start + *hands.0.lock().unwrap())
    }

    fn forward(&self, by: Duration) {
        *self.0.lock().unwrap() += TimeDelta::from_std(by).unwrap();
    }
}

struct Setting {
    database: TestDatabase,
    store: Store,
    hands: Hands,
    tail: Tail,
}

impl Setting {
    async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let hands = Hands::default();
        let store = Store::new(database.options(), &PoolOptions::default(), hands.clock());
        // Nothing runs it: groups read from the log.
        let (tail, _) = Tail::new(&store);
        Self { database, store, hands, tail }
    }

    fn runner(&self, recorder: &Arc<Recorder>) -> GroupRunner {
        let consumer: Arc<dyn Consumer> = Arc::<Recorder>::clone(recorder);
        let options = GroupOptions { batch: 4, attempts: 3, ..GroupOptions::default() };
        GroupRunner::new(
            self.store.clone(),
            self.tail.clone(),
            consumer,
            ProcessId::new(self.store.clock().now()),
        )
        .options(options)
    }
}

#[tokio::test]
async fn a_group_handles_each_change_once_in_order_and_in_batches() {
    let setting = Setting::new().await;
    let recorder = Arc::new(Recorder::default());
    written(&setting.store, crate::org(&setting.store), 10).await;
    let mut runner = setting.runner(&recorder);
    let mut steps = Vec::new();
    for _ in 0..4 {
        steps.push(runner.step().await.unwrap());
    }
    assert_eq!(steps, [Step::Handled(4), Step::Handled(4), Step::Handled(2), Step::Idle]);
    assert_eq!(*recorder.seen.lock().unwrap(), (1..=10).collect::<Vec<_>>());
    let groups = Groups::new(setting.store.clone()).list().await.unwrap();
    assert_eq!((groups[0].name.as_str(), groups[0].position, groups[0].behind), ("test.recorder", 10, 0));
}

#[tokio::test]
async fn one_process_at_a_time_reads_for_a_group_and_another_takes_over() {
    let setting = Setting::new().await;
    let recorder = Arc::new(Recorder::default());
    written(&setting.store, crate::org(&setting.store), 6).await;
    let (mut first, mut second) = (setting.runner(&recorder), setting.runner(&recorder));
    assert_eq!(first.step().await.unwrap(), Step::Handled(4));
    assert_eq!(second.step().await.unwrap(), Step::NotOurs);
    setting.hands.forward(Duration::from_secs(61));
    assert_eq!(second.step().await.unwrap(), Step::Handled(2));
    // The first one wakes up late and finds out.
    assert_eq!(first.step().await.unwrap(), Step::NotOurs);
    assert_eq!(*recorder.seen.lock().unwrap(), (1..=6).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_change_that_fails_is_tried_again_and_then_left_for_dead_and_the_others_go_on() {
    let setting = Setting::new().await;
    let recorder = Arc::new(Recorder { failing: AtomicI64::new(2), ..Recorder::default() });
    written(&setting.store, crate::org(&setting.store), 3).await;
    let mut runner = setting.runner(&recorder);
    // The batch fails; then one after the other.
    assert!(matches!(runner.step().await.unwrap(), Step::Waiting(_)));
    assert_eq!(runner.step().await.unwrap(), Step::Handled(1));
    for _ in 0..2 {
        let Step::Waiting(until) = runner.step().await.unwrap() else { panic!("it does not wait") };
        assert_eq!(runner.step().await.unwrap(), Step::Waiting(until), "not before its time");
        setting.hands.forward(Duration::from_secs(2));
    }
    assert_eq!(runner.step().await.unwrap(), Step::DeadLettered);
    assert_eq!(runner.step().await.unwrap(), Step::Handled(1));
    assert_eq!(*recorder.seen.lock().unwrap(), [1, 3]);

    let groups = Groups::new(setting.store.clone());
    let dead = groups.dead_letters(None, 10).await.unwrap();
    assert_eq!(
        (dead.len(), dead[0].position, dead[0].attempts, dead[0].error.as_str()),
        (1, 2, 3, "cannot do that")
    );
    // Tried once more while it still fails, it stays; afterwards it is done.
    for (failing, left) in [(2, 1), (0, 0)] {
        recorder.failing.store(failing, Ordering::SeqCst);
        assert!(groups.retry(dead[0].id).await.unwrap());
        setting.hands.forward(Duration::from_secs(31));
        runner.step().await.unwrap();
        assert_eq!(groups.dead_letters(None, 10).await.unwrap().len(), left);
    }
    assert_eq!(*recorder.seen.lock().unwrap(), [1, 3, 2]);
}

#[tokio::test]
async fn a_change_that_can_never_be_handled_is_not_tried_again() {
    let setting = Setting::new().await;
    let recorder = Arc::new(Recorder { failing: AtomicI64::new(1), fatal: true, ..Recorder::default() });
    written(&setting.store, crate::org(&setting.store), 1).await;
    let mut runner = setting.runner(&recorder);
    assert_eq!(runner.step().await.unwrap(), Step::DeadLettered);
    let groups = Groups::new(setting.store.clone());
    let dead = groups.dead_letters(None, 10).await.unwrap();
    assert!(groups.discard(dead[0].id).await.unwrap());
    assert_eq!(groups.dead_letters(None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn at_rest_a_group_costs_one_statement_for_each_sign_of_life() {
    let setting = Setting::new().await;
    let recorder = Arc::new(Recorder::default());
    written(&setting.store, crate::org(&setting.store), 1).await;
    let (tail, reader) = Tail::new(&setting.store);
    let stop = tokio_util::sync::CancellationToken::new();
    let reading = tokio::spawn(reader.run(stop.clone()));
    tail.reaches(1).await;
    stop.cancel();
    reading.await.unwrap();
    let setting = Setting { tail, ..setting };
    let mut runner = setting.runner(&recorder);
    assert_eq!(runner.step().await.unwrap(), Step::Handled(1));
    let before = setting.store.statistics().statements();
    for _ in 0..5 {
        // Nothing is due before it is time.
        assert_eq!(runner.step().await.unwrap(), Step::Idle);
        setting.hands.forward(Duration::from_secs(30));
        assert_eq!(runner.step().await.unwrap(), Step::Idle);
    }
    assert_eq!(setting.store.statistics().statements() - before, 5);
}

#[tokio::test]
async fn a_group_reads_again_from_where_it_is_told_to() {
    let setting = Setting::new().await;
    let recorder = Arc::new(Recorder::default());
    written(&setting.store, crate::org(&setting.store), 4).await;
    let mut runner = setting.runner(&recorder);
    assert_eq!(runner.step().await.unwrap(), Step::Handled(4));
    let groups = Groups::new(setting.store.clone());
    assert!(groups.rewind("test.recorder", 2).await.unwrap());
    assert!(!groups.rewind("test.nobody", 2).await.unwrap());
    // It holds what it does not hold any more; its next write says so.
    written(&setting.store, crate::org(&setting.store), 1).await;
    assert_eq!(runner.step().await.unwrap(), Step::NotOurs);
    assert_eq!(runner.step().await.unwrap(), Step::Handled(3));
    assert_eq!(*recorder.seen.lock().unwrap(), [1, 2, 3, 4, 3, 4, 1]);
}

/// Keeps a row per change in the tenant that it is about.
struct Keeper;

#[async_trait]
impl Consumer for Keeper {
    fn name(&self) -> &'static str {
        "test.keeper"
    }

    fn begin(&self) -> Begin {
        Begin::Oldest
    }

    fn wants(&self, _: &Change) -> bool {
        true
    }

    async fn handle(&self, changes: &[&Change], handling: &mut Handling<'_>) -> Result<(), ConsumerError> {
        for change in changes {
            let connection = handling.tenant(change.tenant.unwrap()).await?;
            let insert = sqlx::query(
                "INSERT INTO platform.idempotency (org_id, actor, operation, key, request, at)
                 VALUES ($1, $1, 'test', $2, '', now())",
            );
            connection
                .execute("test.keep", insert.bind(change.tenant).bind(change.version.to_string()))
                .await?;
        }
        if changes.iter().any(|change| change.version == 3) {
            return Err(ConsumerError::Retry("not yet".to_owned()));
        }
        Ok(())
    }
}

#[tokio::test]
async fn what_a_handler_writes_is_committed_with_the_position_or_not_at_all() {
    let setting = Setting::new().await;
    let (one, other) = (crate::org(&setting.store), crate::org(&setting.store));
    written(&setting.store, one, 3).await;
    written(&setting.store, other, 1).await;
    let consumer: Arc<dyn Consumer> = Arc::new(Keeper);
    let mut runner = GroupRunner::new(
        setting.store.clone(),
        setting.tail.clone(),
        consumer,
        ProcessId::new(setting.store.clock().now()),
    );
    for _ in 0..4 {
        assert!(matches!(runner.step().await.unwrap(), Step::Waiting(_) | Step::Handled(1)));
    }
    let mut connection = setting.database.connect().await.unwrap();
    let kept: Vec<(Uuid, String)> =
        sqlx::query_as("SELECT org_id, key FROM platform.idempotency ORDER BY key")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    assert_eq!(kept, [(one.uuid(), "1".to_owned()), (one.uuid(), "2".to_owned())]);
}
