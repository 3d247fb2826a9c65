//! What a worker does beside claiming: one statement each, for any number of jobs.

use chrono::{DateTime, Utc};
use pulse_store::{Connection, StoreError};
use pulse_types::JobId;
use sqlx::FromRow;

use super::Worker;
use super::claim::{Claimed, Wanted};
use crate::attempt::{Ended, Outcome};

/// Jobs that one step looks after at most; what is left over is for the next.
const BATCH: i64 = 1_000;

const FINISH: &str = include_str!("../queries/finish.sql");
const RENEW: &str = include_str!("../queries/renew.sql");
const TEND: &str = include_str!("../queries/tend.sql");

/// What there is to do after a look at what comes with time.
#[derive(Debug, Clone, Copy, FromRow)]
pub(super) struct Tended {
    /// Jobs of lost workers: to be run again, and given up.
    back: i64,
    lost: i64,
    /// Whether there may be something to claim.
    pub(super) waiting: bool,
    /// When the next delayed job is due, where nothing waits.
    pub(super) next_due: Option<DateTime<Utc>>,
    /// When the next schedule fires.
    pub(super) next_run: Option<DateTime<Utc>>,
}

impl Worker {
    /// Records how attempts ended, and takes jobs instead, in one transaction. One whose job is another worker's by now
    /// changes nothing.
    pub(super) async fn exchange(&self, ended: &[Ended], wanted: Wanted<'_>) -> Result<Claimed, StoreError> {
        let mut connection = self.store.worker().await?;
        // Before the claim's lock: others need not wait for it.
        let recorded = self.record(&mut connection, ended).await?;
        let claimed = self.claim(&mut connection, wanted).await?;
        connection.commit().await?;
        self.claimed(&claimed);
        if recorded || claimed.jobs.iter().any(|job| job.tenant.is_some()) {
            self.store.committed().notify_one();
        }
        Ok(claimed)
    }

    /// Records how attempts ended, as [`Worker::exchange`] does.
    pub(super) async fn finish(&self, ended: &[Ended]) -> Result<(), StoreError> {
        let mut connection = self.store.worker().await?;
        let recorded = self.record(&mut connection, ended).await?;
        connection.commit().await?;
        if recorded {
            self.store.committed().notify_one();
        }
        Ok(())
    }

    /// Whether events tell of it.
    async fn record(&self, connection: &mut Connection, ended: &[Ended]) -> Result<bool, StoreError> {
        let recorded: Vec<&Ended> =
            ended.iter().filter(|one| !matches!(one.outcome, Outcome::Lost)).collect();
        if recorded.is_empty() {
            return Ok(false);
        }
        let error = |one: &&Ended| match &one.outcome {
            // No text of PostgreSQL's has a NUL; an ending that cannot be recorded would be tried again for ever.
            Outcome::Again(reason, _) | Outcome::Failed(reason) => Some(reason.replace('\0', "")),
            _ => None,
        };
        let result = |one: &&Ended| match &one.outcome {
            Outcome::Completed(result) => result.clone(),
            _ => None,
        };
        let delay = |one: &&Ended| match &one.outcome {
            Outcome::Again(_, delay) => delay.as_secs_f64(),
            _ => 0.0,
        };
        let query = sqlx::query_as(FINISH)
            .bind(self.store.clock().now())
            .bind(recorded.iter().map(|one| one.id).collect::<Vec<_>>())
            .bind(recorded.iter().map(|one| one.claims).collect::<Vec<_>>())
            .bind(recorded.iter().map(|one| one.outcome.as_str()).collect::<Vec<_>>())
            .bind(recorded.iter().map(error).collect::<Vec<_>>())
            .bind(recorded.iter().map(delay).collect::<Vec<_>>())
            .bind(recorded.iter().map(result).collect::<Vec<_>>());
        let changed: Vec<(bool,)> = connection.fetch_all("jobs.finish", query).await?;
        if changed.len() < recorded.len() {
            tracing::warn!(jobs = recorded.len() - changed.len(), "jobs ended after their leases were lost");
        }
        Ok(changed.iter().any(|(of_tenant,)| *of_tenant))
    }

    /// Another lease for jobs that run, by id and claim: those that are still this worker's, and whether each was
    /// cancelled.
    pub(super) async fn renew(&self, jobs: &[(JobId, i32)]) -> Result<Vec<(JobId, bool)>, StoreError> {
        let query = sqlx::query_as(RENEW)
            .bind(self.store.clock().now())
            .bind(self.options.lease.as_secs_f64())
            .bind(jobs.iter().map(|(id, _)| *id).collect::<Vec<_>>())
            .bind(jobs.iter().map(|(_, claims)| *claims).collect::<Vec<_>>());
        let mut connection = self.store.worker().await?;
        let kept = connection.fetch_all("jobs.renew", query).await?;
        connection.commit().await?;
        Ok(kept)
    }

    /// Makes delayed jobs ready whose time has come, and takes jobs from workers that are silent.
    pub(super) async fn tend(&self) -> Result<Tended, StoreError> {
        let query = sqlx::query_as(TEND).bind(self.store.clock().now()).bind(BATCH).bind(self.kinds.names());
        let mut connection = self.store.worker().await?;
        let tended: Tended = connection.fetch_one("jobs.tend", query).await?;
        connection.commit().await?;
        let Tended { back, lost, .. } = tended;
        if back + lost > 0 {
            tracing::warn!(again = back, failed = lost, "workers were lost with their jobs");
            self.store.committed().notify_one();
        }
        metrics::counter!("pulse_jobs_lost_total").increment(u64::try_from(back + lost).unwrap_or(0));
        Ok(tended)
    }

    /// Tells other processes that there is something to claim.
    pub(super) async fn tell_others(&self) -> Result<(), StoreError> {
        let notify = sqlx::query("SELECT pg_notify($1, '')").bind(pulse_store::JOBS_CHANNEL);
        let mut connection = self.store.worker().await?;
        connection.execute("jobs.notify", notify).await?;
        connection.commit().await
    }
}
