//! Claims jobs, runs them and records how they ended.

mod claim;
mod listen;
mod shift;
mod steps;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use pulse_store::{Store, StoreError};
use pulse_types::ProcessId;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::attempt::{self, Ended};
use crate::kinds::Kinds;
use crate::{FixedSchedule, Job, JobContext, JobHandler, WorkerOptions};
use claim::{Place, Wanted};

/// Runs the jobs of one database with the handlers that it has. Any number may work at once.
pub struct Worker {
    pub(crate) store: Store,
    pub(crate) kinds: Kinds,
    options: WorkerOptions,
    pub(crate) schedules: Vec<FixedSchedule>,
    /// For listening, which a pooler in front of the database does not pass on.
    direct: Option<PgConnectOptions>,
    id: Uuid,
    /// Whose jobs were claimed last.
    recent: Mutex<VecDeque<Uuid>>,
}

impl Worker {
    /// A worker with these handlers.
    pub fn new(
        store: Store,
        handlers: impl IntoIterator<Item = Arc<dyn JobHandler>>,
        options: WorkerOptions,
    ) -> Self {
        let kinds = Kinds::new(handlers, &options);
        let id = ProcessId::new(store.clock().now()).uuid();
        Self { store, kinds, options, schedules: Vec::new(), direct: None, id, recent: Mutex::default() }
    }

    /// Also listens, on a connection of its own, to other processes that enqueue and cancel jobs.
    #[must_use]
    pub fn listening(self, direct: PgConnectOptions) -> Self {
        Self { direct: Some(direct), ..self }
    }

    /// Also keeps these schedules in the database. Those of tenants fire by themselves.
    #[must_use]
    pub fn scheduling(self, schedules: impl IntoIterator<Item = FixedSchedule>) -> Self {
        Self { schedules: schedules.into_iter().collect(), ..self }
    }

    /// Works until `stop`; then what runs has a while to end, and the rest is given back for others.
    pub async fn run(self, stop: CancellationToken) {
        shift::Shift::new(self).run(stop).await;
    }

    /// Runs what waits now, one job after the other; how many there were. For tests and one-shot upkeep.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        let mut place = Place::default();
        self.tend().await?;
        loop {
            let claimed = self.exchange(&[], Wanted { limit: 1, after: &place, lend: true }).await?;
            if claimed.jobs.is_empty() && place.is_first() && claimed.next.is_first() {
                return Ok(done);
            }
            place = claimed.next;
            for job in claimed.jobs {
                let ended = self.attempt(job).await;
                self.finish(&[ended]).await?;
                done += 1;
            }
        }
    }

    async fn attempt(&self, job: Job) -> Ended {
        let kind = Arc::clone(self.kinds.get(&job.kind).expect("only known kinds are claimed"));
        let context = Arc::new(JobContext::new(self.store.clone(), &job, CancellationToken::new()));
        let (_nobody, verdict) = oneshot::channel();
        attempt::run(kind, job, context, verdict, self.options.cancel_grace).await
    }
}
