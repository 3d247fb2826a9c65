//! Claims jobs and runs them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pulse_store::{Store, StoreError};
use pulse_types::{JobId, OrgId};
use rand::Rng;
use sqlx::FromRow;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{Job, JobContext, JobError, JobHandler};

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// How many jobs run at once.
    pub concurrency: usize,
    /// How long a job stays claimed without a sign of life; renewed at a third of it.
    pub lease: Duration,
    /// How long to wait before looking again when nobody tells of new jobs.
    pub idle: Duration,
    /// The first retry's delay; each further one waits twice as long.
    pub backoff: Duration,
    /// No retry waits longer.
    pub max_backoff: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_secs(30),
            idle: Duration::from_secs(1),
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_mins(10),
        }
    }
}

/// Runs the jobs of one database with the handlers that it has.
pub struct Worker {
    store: Store,
    handlers: HashMap<&'static str, Arc<dyn JobHandler>>,
    options: WorkerOptions,
}

#[derive(FromRow)]
struct ClaimedRow {
    /// Not so when the job had lost its last worker and has just failed for good.
    mine: bool,
    id: JobId,
    tenant: Option<OrgId>,
    kind: String,
    payload: serde_json::Value,
    attempts: i32,
    max_attempts: i32,
}

const CLAIM: &str = include_str!("queries/claim.sql");

impl Worker {
    /// A worker with these handlers.
    pub fn new(
        store: Store,
        handlers: impl IntoIterator<Item = Arc<dyn JobHandler>>,
        options: WorkerOptions,
    ) -> Self {
        let handlers = handlers.into_iter().map(|handler| (handler.kind(), handler)).collect();
        Self { store, handlers, options }
    }

    /// Works until `stop`, then finishes the jobs that run.
    pub async fn run(self, stop: CancellationToken) {
        let worker = Arc::new(self);
        let mut running = JoinSet::new();
        while !stop.is_cancelled() {
            let free = worker.options.concurrency - running.len();
            let claimed = if free == 0 { Vec::new() } else { worker.claim_or_log(free).await };
            let found = !claimed.is_empty();
            for job in claimed {
                let worker = Arc::clone(&worker);
                running.spawn(async move { worker.work(job).await });
            }
            if found && running.len() < worker.options.concurrency {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some(_) = running.join_next() => {}
                () = tokio::time::sleep(worker.options.idle) => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    /// Runs what waits now, one job after the other; how many there were. For tests and one-shot upkeep.
    pub async fn drain(&self) -> Result<usize, StoreError> {
        let mut done = 0;
        while let Some(job) = self.claim(1).await?.pop() {
            self.work(job).await;
            done += 1;
        }
        Ok(done)
    }

    async fn claim_or_log(&self, limit: usize) -> Vec<Job> {
        self.claim(limit).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "jobs cannot be claimed");
            Vec::new()
        })
    }

    async fn claim(&self, limit: usize) -> Result<Vec<Job>, StoreError> {
        let now = self.store.clock().now();
        let kinds: Vec<&str> = self.handlers.keys().copied().collect();
        let query = sqlx::query_as::<_, ClaimedRow>(CLAIM)
            .bind(now)
            .bind(self.options.lease.as_secs_f64())
            .bind(kinds)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let mut connection = self.store.system().await?;
        let rows = connection.fetch_all("jobs.claim", query).await?;
        connection.commit().await?;
        Ok(rows.into_iter().filter(|row| row.mine).map(Job::from).collect())
    }

    async fn work(&self, job: Job) {
        let context = JobContext { store: self.store.clone(), job: job.id };
        let result = match self.handlers.get(job.kind.as_str()) {
            Some(handler) => {
                tokio::select! {
                    result = handler.run(&job, &context) => result,
                    () = self.renew(job.id) => Err(JobError::Retry("the lease was lost".to_owned())),
                }
            }
            None => Err(JobError::Retry(format!("no handler for {}", job.kind))),
        };
        if let Err(error) = &result {
            tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, %error, "job failed");
        }
        metrics::counter!("pulse_jobs_total", "kind" => job.kind.clone(), "ok" => result.is_ok().to_string())
            .increment(1);
        if let Err(error) = self.finish(&job, result).await {
            tracing::warn!(job = %job.id, %error, "the end of a job cannot be recorded; it will run again");
        }
    }

    /// Renews the lease until it turns out to be lost.
    async fn renew(&self, id: JobId) {
        loop {
            tokio::time::sleep(self.options.lease / 3).await;
            match self.renew_once(id).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(job = %id, %error, "the lease cannot be renewed"),
            }
        }
    }

    async fn renew_once(&self, id: JobId) -> Result<bool, StoreError> {
        let mut connection = self.store.system().await?;
        let update = sqlx::query(
            "UPDATE platform.jobs SET lease_until = $2 + make_interval(secs => $3) WHERE id = $1 AND status = 'processing'",
        );
        let update = update.bind(id).bind(self.store.clock().now()).bind(self.options.lease.as_secs_f64());
        let renewed = connection.execute("jobs.renew", update).await?;
        connection.commit().await?;
        Ok(renewed == 1)
    }

    /// Records how an attempt ended: completed, waiting for the next one, or failed for good.
    async fn finish(&self, job: &Job, result: Result<(), JobError>) -> Result<(), StoreError> {
        let now = self.store.clock().now();
        let (status, error) = match result {
            Ok(()) => ("completed", None),
            Err(JobError::Retry(error)) if job.attempt < job.max_attempts => ("pending", Some(error)),
            Err(error) => ("failed", Some(error.to_string())),
        };
        let update = sqlx::query(
            "UPDATE platform.jobs
                SET status = $2, error = $3, lease_until = NULL, run_at = $4,
                    progress = CASE WHEN $2 = 'completed' THEN 100 ELSE progress END,
                    finished_at = CASE WHEN $2 = 'pending' THEN NULL ELSE $5 END
              WHERE id = $1 AND status = 'processing' AND attempts = $6",
        )
        .bind(job.id)
        .bind(status)
        .bind(error)
        .bind(now + self.delay(job.attempt))
        .bind(now)
        .bind(job.attempt);
        let mut connection = self.store.system().await?;
        connection.execute("jobs.finish", update).await?;
        connection.commit().await
    }

    /// The delay before the attempt after this one: doubling, with jitter of a half, bounded.
    fn delay(&self, attempt: i32) -> Duration {
        let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(20);
        let full = self.options.backoff.saturating_mul(1 << doublings).min(self.options.max_backoff);
        full.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

impl From<ClaimedRow> for Job {
    fn from(row: ClaimedRow) -> Self {
        let ClaimedRow { mine: _, id, tenant, kind, payload, attempts, max_attempts } = row;
        Self { id, tenant, kind, payload, attempt: attempts, max_attempts }
    }
}
