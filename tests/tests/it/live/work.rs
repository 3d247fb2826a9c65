//! A worker whose jobs do what tests say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pulse_jobs::{Job, JobContext, JobError, JobHandler, Worker, WorkerOptions};
use pulse_store::{AuditFact, NewJob, PoolOptions, Store};
use pulse_tests::{Person, Tenant, TestPlatform};
use pulse_types::{Caller, Clock, RequestId, Role, Subject};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Goes ten per cent further for each step that a test lets it.
pub(super) const STEPS: &str = "test.steps";
/// Waits until it is cancelled.
pub(super) const WAITS: &str = "test.waits";
/// Fails for good when it is done for the first time.
pub(super) const FAILS_ONCE: &str = "test.fails_once";

/// The worker, in a process of its own, which works until this is dropped.
pub(super) struct Work {
    stop: CancellationToken,
    pub(super) steps: Arc<Semaphore>,
}

struct Handler {
    kind: &'static str,
    steps: Arc<Semaphore>,
    has_failed: AtomicBool,
}

#[async_trait]
impl JobHandler for Handler {
    fn kind(&self) -> &'static str {
        self.kind
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        match self.kind {
            STEPS => {
                for step in 1..=9 {
                    self.steps.acquire().await.unwrap().forget();
                    context.progress(step * 10).await?;
                }
                context.set_result(Map::from_iter([("steps".to_owned(), json!(9))]))
            }
            WAITS => {
                context.cancelled().cancelled().await;
                Err(JobError::Cancelled)
            }
            _ if self.has_failed.swap(true, Ordering::SeqCst) => Ok(()),
            _ => Err(JobError::Fatal("there is no such file".to_owned())),
        }
    }
}

impl Work {
    pub(super) fn begin(platform: &TestPlatform) -> Self {
        let (stop, steps) = (CancellationToken::new(), Arc::new(Semaphore::new(0)));
        let handler = |kind| {
            let (steps, has_failed) = (Arc::clone(&steps), AtomicBool::new(false));
            Arc::new(Handler { kind, steps, has_failed }) as Arc<dyn JobHandler>
        };
        let store = Store::new(platform.database.options(), &PoolOptions::default(), Clock::system());
        // The other process's worker is told of what is enqueued there.
        let options = WorkerOptions { idle: Duration::from_millis(50), ..WorkerOptions::default() };
        let worker = Worker::new(store, [STEPS, WAITS, FAILS_ONCE].map(handler), options);
        tokio::spawn(worker.listening(platform.database.options()).run(stop.clone()));
        Self { stop, steps }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Enqueues a job as somebody of a tenant; its id.
pub(super) async fn enqueue(
    platform: &TestPlatform,
    tenant: &Tenant,
    person: &Person,
    kind: &'static str,
) -> String {
    let now = platform.store.clock().now();
    let caller = Caller {
        subject: Subject::User(person.id.parse().unwrap()),
        org: Some(tenant.id.parse().unwrap()),
        session: None,
        permissions: Role::Member.permissions(),
        rights: pulse_types::ResourceRights::none(),
        identity: None,
        request: RequestId::new(now),
        origin: None,
    };
    let mut write = platform.store.session(Arc::new(caller)).write().await.unwrap();
    write.enqueue(NewJob {
        kind,
        payload: json!({}),
        priority: 0,
        max_attempts: 3,
        delay: Duration::ZERO,
        unique_key: None,
    });
    let fact = AuditFact { action: "test:run", subject: "test.thing", key: None, version: None, items: 1 };
    write.commit(fact).await.unwrap();
    let list = "query ($kind: String!) { jobs(filter: { kind: $kind }) { nodes { id } } }";
    let jobs = platform.data(&tenant.owner.token, list, json!({ "kind": kind })).await;
    jobs["jobs"]["nodes"][0]["id"].as_str().unwrap().to_owned()
}

/// The place before which nothing of what a test does lies.
pub(super) async fn cursor(platform: &TestPlatform, tenant: &Tenant) -> Value {
    platform.data(&tenant.owner.token, "{ streamCursor }", json!({})).await["streamCursor"].take()
}
