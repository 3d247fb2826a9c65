//! A database, a clock that tests move, and handlers that do what tests say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use pulse_jobs::{Job, JobContext, JobError, JobHandler, Policy, Worker, WorkerOptions};
use pulse_store::{AuditFact, NewJob, PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId};
use serde_json::json;
use sqlx::AssertSqlSafe;

/// A database, and a clock that a test moves.
pub(crate) struct Fixture {
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
    pub(crate) time: Arc<Mutex<DateTime<Utc>>>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let time = Arc::new(Mutex::new(Clock::system().now()));
        let told = Arc::clone(&time);
        let clock = Clock::from_fn(move || *told.lock().unwrap());
        let store = Store::new(database.options(), &PoolOptions::default(), clock);
        Self { database, store, time }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        *self.time.lock().unwrap()
    }

    pub(crate) fn set(&self, time: DateTime<Utc>) {
        *self.time.lock().unwrap() = time;
    }

    pub(crate) fn pass(&self, seconds: i64) {
        *self.time.lock().unwrap() += TimeDelta::seconds(seconds);
    }

    pub(crate) fn tenant(&self) -> OrgId {
        OrgId::new(self.now())
    }

    /// Enqueues in a tenant of its own.
    pub(crate) async fn enqueue(&self, job: NewJob) -> OrgId {
        let tenant = self.tenant();
        self.enqueue_in(tenant, [job]).await;
        tenant
    }

    pub(crate) async fn enqueue_in(&self, tenant: OrgId, jobs: impl IntoIterator<Item = NewJob>) {
        let caller = Caller::system(tenant, RequestId::new(self.now()));
        let mut write = self.store.session(Arc::new(caller)).write().await.unwrap();
        for job in jobs {
            write.enqueue(job);
        }
        let fact = AuditFact { action: "x", subject: "x", key: None, version: None, items: 1 };
        write.commit(fact).await.unwrap();
    }

    /// Status, attempts and error of the only job.
    pub(crate) async fn job(&self) -> (String, i32, Option<String>) {
        let mut connection = self.database.connect().await.unwrap();
        let query = sqlx::query_as("SELECT status, attempts, error FROM platform.all_jobs");
        query.fetch_one(&mut connection).await.unwrap()
    }

    pub(crate) async fn run_sql(&self, sql: &str) {
        let mut connection = self.database.connect().await.unwrap();
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    /// The one number that `sql` selects.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.database.connect().await.unwrap();
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap()
    }

    /// What was told of jobs, as `kind status progress`, in the order of the outbox.
    pub(crate) async fn told(&self) -> Vec<String> {
        let mut connection = self.database.connect().await.unwrap();
        let query = sqlx::query_scalar(
            "SELECT kind || ' ' || (attributes ->> 'status') || ' ' || (attributes ->> 'progress')
               FROM platform.outbox WHERE subject = 'platform.job' ORDER BY id",
        );
        query.fetch_all(&mut connection).await.unwrap()
    }

    pub(crate) fn worker(&self, handler: impl JobHandler) -> Worker {
        self.worker_with(handler, WorkerOptions::default())
    }

    pub(crate) fn worker_with(&self, handler: impl JobHandler, options: WorkerOptions) -> Worker {
        let handler: Arc<dyn JobHandler> = Arc::new(handler);
        Worker::new(self.store.clone(), [handler], options)
    }
}

pub(crate) fn job(priority: i16) -> NewJob {
    let payload = json!({ "priority": priority });
    NewJob { kind: "test.job", payload, priority, max_attempts: 3, delay: Duration::ZERO, unique_key: None }
}

/// Runs `does` for each attempt and remembers the jobs.
pub(crate) struct Handler<F> {
    pub(crate) seen: Arc<Mutex<Vec<Job>>>,
    pub(crate) policy: Policy,
    pub(crate) does: F,
}

/// A handler without anything special about it.
pub(crate) fn handler<F>(does: F) -> Handler<F>
where
    F: Fn(i32) -> Result<(), JobError> + Send + Sync + 'static,
{
    Handler { seen: Arc::default(), policy: Policy::default(), does }
}

#[async_trait]
impl<F: Fn(i32) -> Result<(), JobError> + Send + Sync + 'static> JobHandler for Handler<F> {
    fn kind(&self) -> &'static str {
        "test.job"
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    async fn run(&self, job: &Job, _: &JobContext) -> Result<(), JobError> {
        self.seen.lock().unwrap().push(job.clone());
        (self.does)(job.attempt)
    }
}

/// Awaits what `does` makes of each job.
pub(crate) struct Awaits<F> {
    pub(crate) kind: &'static str,
    pub(crate) policy: Policy,
    pub(crate) does: F,
}

/// The same, of the usual kind and policy.
pub(crate) fn awaits<F>(does: F) -> Awaits<F>
where
    F: for<'a> Fn(&'a Job, &'a JobContext) -> BoxFuture<'a, Result<(), JobError>> + Send + Sync + 'static,
{
    Awaits { kind: "test.job", policy: Policy::default(), does }
}

#[async_trait]
impl<F> JobHandler for Awaits<F>
where
    F: for<'a> Fn(&'a Job, &'a JobContext) -> BoxFuture<'a, Result<(), JobError>> + Send + Sync + 'static,
{
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn policy(&self) -> Policy {
        self.policy
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        (self.does)(job, context).await
    }
}
