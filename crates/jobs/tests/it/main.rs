//! Jobs against a real database.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use pulse_jobs::{Job, JobContext, JobError, JobHandler, Worker, WorkerOptions};
use pulse_store::{AuditFact, NewJob, PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// A database, and a clock that a test moves.
struct Fixture {
    database: TestDatabase,
    store: Store,
    time: Arc<Mutex<DateTime<Utc>>>,
}

impl Fixture {
    async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let time = Arc::new(Mutex::new(Clock::system().now()));
        let told = Arc::clone(&time);
        let clock = Clock::from_fn(move || *told.lock().unwrap());
        let store = Store::new(database.options(), &PoolOptions::default(), clock);
        Self { database, store, time }
    }

    fn pass(&self, seconds: i64) {
        *self.time.lock().unwrap() += TimeDelta::seconds(seconds);
    }

    async fn enqueue(&self, job: NewJob) {
        let now = self.store.clock().now();
        let caller = Caller::system(OrgId::new(now), RequestId::new(now));
        let mut write = self.store.session(Arc::new(caller)).write().await.unwrap();
        write.enqueue(job);
        let fact = AuditFact { action: "x", subject: "x", key: None, version: None, items: 1 };
        write.commit(fact).await.unwrap();
    }

    /// Status, attempts and error of the only job.
    async fn job(&self) -> (String, i32, Option<String>) {
        let mut connection = self.database.connect().await.unwrap();
        let query = sqlx::query_as("SELECT status, attempts, error FROM platform.jobs");
        query.fetch_one(&mut connection).await.unwrap()
    }

    fn worker(&self, handler: impl JobHandler) -> Worker {
        let handler: Arc<dyn JobHandler> = Arc::new(handler);
        Worker::new(self.store.clone(), [handler], WorkerOptions::default())
    }
}

fn job(priority: i16) -> NewJob {
    let payload = json!({ "priority": priority });
    NewJob { kind: "test.job", payload, priority, max_attempts: 3, delay: Duration::ZERO, unique_key: None }
}

/// Runs `does` for each attempt and remembers the payloads.
struct Handler<F> {
    seen: Arc<Mutex<Vec<serde_json::Value>>>,
    does: F,
}

#[async_trait]
impl<F: Fn(i32) -> Result<(), JobError> + Send + Sync + 'static> JobHandler for Handler<F> {
    fn kind(&self) -> &'static str {
        "test.job"
    }

    async fn run(&self, job: &Job, _: &JobContext) -> Result<(), JobError> {
        self.seen.lock().unwrap().push(job.payload.clone());
        (self.does)(job.attempt)
    }
}

#[tokio::test]
async fn jobs_run_by_priority_and_are_completed() {
    let fixture = Fixture::new().await;
    for priority in [0, 5, 1] {
        fixture.enqueue(job(priority)).await;
    }
    let seen = Arc::default();
    let worker = fixture.worker(Handler { seen: Arc::clone(&seen), does: |_| Ok(()) });
    assert_eq!(worker.drain().await.unwrap(), 3);
    let order: Vec<_> = seen.lock().unwrap().iter().map(|payload| payload["priority"].clone()).collect();
    assert_eq!(order, [5, 1, 0]);
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_later_until_attempts_are_used_up() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let worker = fixture.worker(Handler {
        seen: Arc::default(),
        does: |attempt| Err(JobError::Retry(format!("attempt {attempt} broke"))),
    });
    for (attempt, status) in [(1, "pending"), (2, "pending"), (3, "failed")] {
        assert_eq!(worker.drain().await.unwrap(), 1);
        assert_eq!(
            fixture.job().await,
            (status.to_owned(), attempt, Some(format!("attempt {attempt} broke")))
        );
        assert_eq!(worker.drain().await.unwrap(), 0, "not before its delay is over");
        fixture.pass(3600);
    }
    assert_eq!(worker.drain().await.unwrap(), 0);
}

#[tokio::test]
async fn a_fatal_failure_is_not_repeated() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let worker =
        fixture.worker(Handler { seen: Arc::default(), does: |_| Err(JobError::Fatal("no use".to_owned())) });
    worker.drain().await.unwrap();
    assert_eq!(fixture.job().await, ("failed".to_owned(), 1, Some("no use".to_owned())));
}

#[tokio::test]
async fn a_job_whose_worker_died_is_run_by_another_after_its_lease() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let mut connection = fixture.database.connect().await.unwrap();
    let lease = fixture.store.clock().now() + TimeDelta::seconds(30);
    sqlx::query("UPDATE platform.jobs SET status = 'processing', attempts = 1, lease_until = $1")
        .bind(lease)
        .execute(&mut connection)
        .await
        .unwrap();
    let worker = fixture.worker(Handler { seen: Arc::default(), does: |_| Ok(()) });
    assert_eq!(worker.drain().await.unwrap(), 0);
    fixture.pass(31);
    assert_eq!(worker.drain().await.unwrap(), 1);
    assert_eq!(fixture.job().await.0, "completed");
}

#[tokio::test]
async fn a_job_that_kills_its_workers_fails_in_the_end() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let mut connection = fixture.database.connect().await.unwrap();
    sqlx::query("UPDATE platform.jobs SET status = 'processing', attempts = 3, lease_until = now() - interval '1 day'")
        .execute(&mut connection)
        .await
        .unwrap();
    let worker = fixture.worker(Handler { seen: Arc::default(), does: |_| Ok(()) });
    assert_eq!(worker.drain().await.unwrap(), 0);
    assert_eq!(fixture.job().await, ("failed".to_owned(), 3, Some("its workers were lost".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_run_each_job_once_and_finish_what_runs_when_stopped() {
    let fixture = Fixture::new().await;
    for _ in 0..40 {
        fixture.enqueue(job(0)).await;
    }
    let stop = CancellationToken::new();
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (done, stop) = (Arc::clone(&done), stop.clone());
            let counted = stop.clone();
            let does = move |_| {
                if done.fetch_add(1, Ordering::SeqCst) == 39 {
                    counted.cancel();
                }
                Ok(())
            };
            tokio::spawn(fixture.worker(Handler { seen: Arc::default(), does }).run(stop))
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(done.load(Ordering::SeqCst), 40);
    let mut connection = fixture.database.connect().await.unwrap();
    let completed: i64 = sqlx::query_scalar("SELECT count(*) FROM platform.jobs WHERE status = 'completed'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(completed, 40);
}
