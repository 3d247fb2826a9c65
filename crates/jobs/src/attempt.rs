//! One attempt of a job, from its start to how it ended.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use pulse_types::JobId;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use crate::kinds::Kind;
use crate::{Job, JobContext, JobError};

/// How an attempt ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// With what it has brought.
    Completed(Option<serde_json::Value>),
    /// To be tried again after the delay.
    Again(String, Duration),
    Failed(String),
    Cancelled,
    /// Given back by a worker that ends.
    Returned,
    /// Another worker's by now: there is nothing to record.
    Lost,
}

impl Outcome {
    /// As `queries/finish.sql` and the metrics call it.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Completed(_) => "completed",
            Self::Again(..) => "pending",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::Returned => "returned",
            Self::Lost => "lost",
        }
    }
}

/// An attempt that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) id: JobId,
    pub(crate) claims: i32,
    pub(crate) outcome: Outcome,
}

/// What ends an attempt from outside.
pub(crate) type Verdict = oneshot::Receiver<Outcome>;

/// Runs it. `grace` is how long the handler may go on after its job was cancelled.
pub(crate) async fn run(
    kind: Arc<Kind>,
    job: Job,
    context: Arc<JobContext>,
    verdict: Verdict,
    grace: Duration,
) -> Ended {
    let started = Instant::now();
    let (id, claims) = (job.id, job.claims);
    let span = tracing::info_span!("job", %id, kind = job.kind, attempt = job.attempt);
    let outcome = async {
        let handled =
            AssertUnwindSafe(timeout(kind.time_limit, kind.handler.run(&job, &context))).catch_unwind();
        let outlasted = async {
            context.cancelled().cancelled().await;
            sleep(grace).await;
        };
        let outcome = tokio::select! {
            biased;
            Ok(outcome) = verdict => outcome,
            handled = handled => {
                let result = handled.unwrap_or_else(|_| Ok(Err(JobError::Retry("the handler panicked".to_owned()))));
                let limit = || format!("it took longer than {} s", kind.time_limit.as_secs_f64());
                let result = result.unwrap_or_else(|_| Err(JobError::Retry(limit())));
                judge(result.map(|()| context.take_result()), &kind, &job)
            }
            () = outlasted => Outcome::Cancelled,
        };
        log(&outcome);
        outcome
    };
    let outcome = outcome.instrument(span).await;
    metrics::histogram!("pulse_job_run_seconds", "kind" => job.kind.clone())
        .record(started.elapsed().as_secs_f64());
    metrics::counter!("pulse_jobs_total", "kind" => job.kind, "outcome" => outcome.as_str()).increment(1);
    Ended { id, claims, outcome }
}

fn judge(result: Result<Option<serde_json::Value>, JobError>, kind: &Kind, job: &Job) -> Outcome {
    let (reason, delay) = match result {
        Ok(result) => return Outcome::Completed(result),
        Err(JobError::Cancelled) => return Outcome::Cancelled,
        Err(JobError::Lost) => return Outcome::Lost,
        Err(JobError::Fatal(reason)) => return Outcome::Failed(reason),
        Err(JobError::Retry(reason)) => (reason, None),
        Err(JobError::RetryAfter { reason, delay }) => (reason, Some(delay)),
    };
    if job.attempt < job.max_attempts {
        Outcome::Again(reason, delay.unwrap_or_else(|| kind.delay(job.attempt)))
    } else {
        Outcome::Failed(reason)
    }
}

fn log(outcome: &Outcome) {
    match outcome {
        Outcome::Completed(_) => tracing::debug!("completed"),
        Outcome::Again(reason, delay) => {
            tracing::warn!(reason, again_in_seconds = delay.as_secs_f64(), "an attempt failed");
        }
        Outcome::Failed(reason) => tracing::warn!(reason, "the job failed"),
        Outcome::Cancelled => tracing::info!("cancelled"),
        Outcome::Returned => tracing::info!("given back: the worker ends"),
        Outcome::Lost => tracing::warn!("the lease was lost"),
    }
}
