//! Takes the next jobs.

use chrono::{DateTime, Utc};
use pulse_store::{Connection, StoreError};
use pulse_types::{JobId, OrgId};
use sqlx::FromRow;
use uuid::Uuid;

use super::Worker;
use crate::Job;

/// Names the advisory lock under which jobs are claimed. Claims take a few milliseconds for a whole batch, and limits
/// across workers can only hold when nobody else counts at the same time.
const LOCK: i64 = 0x5055_4c53_4502;

/// How many lanes one claim looks at. Where more wait, the next claim goes on after the last of them.
const LANES: i64 = 256;

/// Of up to so many lanes a claim looks at as many jobs of each as it may take: what it leaves there, limits hold back.
const WHOLE_LANES: i64 = 2;

/// So many of the last claimed jobs are remembered, to whose tenants others are preferred: as many as there are lanes, so
/// that each comes to its turn also where one job runs at a time.
const RECENT: usize = 256;

const CLAIM: &str = include_str!("../queries/claim.sql");

/// After which lane a claim looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    lane: Uuid,
    kind: String,
}

impl Place {
    pub(super) fn is_first(&self) -> bool {
        self.kind.is_empty()
    }
}

/// What a claim is to bring.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// How many jobs at most.
    pub(super) limit: usize,
    /// After which lane to look.
    pub(super) after: &'a Place,
    /// Whether a tenant may have more than its share of slots for which nobody else has use.
    pub(super) lend: bool,
}

/// What a claim brought.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) jobs: Vec<Job>,
    /// Where to look next: at the first lane again unless there are too many.
    pub(super) next: Place,
    /// Whether there may be more to take at once, unless a slot gets free first.
    pub(super) more: bool,
    /// When the next delayed job is due.
    pub(super) next_due: Option<DateTime<Utc>>,
    /// When the next schedule fires.
    pub(super) next_run: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct Row {
    lanes: i64,
    last_lane: Option<Uuid>,
    last_kind: Option<String>,
    next_due: Option<DateTime<Utc>>,
    next_run: Option<DateTime<Utc>>,
    #[sqlx(flatten)]
    job: JobRow,
}

/// All null in the one row of a claim that found nothing.
#[derive(FromRow)]
struct JobRow {
    id: Option<JobId>,
    tenant: Option<OrgId>,
    kind: Option<String>,
    payload: Option<serde_json::Value>,
    attempts: Option<i32>,
    max_attempts: Option<i32>,
    claims: Option<i32>,
    run_at: Option<DateTime<Utc>>,
}

impl Worker {
    /// Takes jobs, in a transaction that its caller commits and then reports by [`Worker::claimed`].
    pub(super) async fn claim(
        &self,
        connection: &mut Connection,
        Wanted { limit, after, lend }: Wanted<'_>,
    ) -> Result<Claimed, StoreError> {
        let most = self.options.tenant_concurrency.map_or(i64::MAX, i64::from);
        let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK);
        connection.execute("jobs.claim_lock", lock).await?;
        let query = sqlx::query_as::<_, Row>(CLAIM)
            .bind(self.store.clock().now())
            .bind(self.options.lease.as_secs_f64())
            .bind(self.kinds.names())
            .bind(self.kinds.concurrency())
            .bind(self.kinds.attempts())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(self.id)
            .bind(most)
            .bind(i64::try_from(self.options.tenant_slots).unwrap_or(i64::MAX))
            .bind(after.lane)
            .bind(&after.kind)
            .bind(LANES)
            .bind(self.recent.lock().expect("nobody panics with it").iter().copied().collect::<Vec<_>>())
            .bind(lend);
        let rows = connection.fetch_all("jobs.claim", query).await?;
        Ok(claimed(rows, limit, after))
    }

    /// Notes what was claimed, once that is committed.
    pub(super) fn claimed(&self, claimed: &Claimed) {
        self.remember(&claimed.jobs);
        let now = self.store.clock().now();
        for job in &claimed.jobs {
            let waited = (now - job.run_at).to_std().unwrap_or_default();
            metrics::histogram!("pulse_job_wait_seconds", "kind" => job.kind.clone())
                .record(waited.as_secs_f64());
        }
    }

    fn remember(&self, jobs: &[Job]) {
        let mut recent = self.recent.lock().expect("nobody panics with it");
        recent.extend(jobs.iter().map(|job| job.tenant.map(OrgId::uuid).unwrap_or_default()));
        let too_many = recent.len().saturating_sub(RECENT);
        recent.drain(..too_many);
    }
}

fn claimed(rows: Vec<Row>, limit: usize, after: &Place) -> Claimed {
    let mut claimed =
        Claimed { jobs: Vec::new(), next: Place::default(), more: false, next_due: None, next_run: None };
    let mut is_whole = true;
    for Row { lanes, last_lane, last_kind, next_due, next_run, job } in rows {
        if let (LANES, Some(lane), Some(kind)) = (lanes, last_lane, last_kind) {
            claimed.next = Place { lane, kind };
        }
        is_whole &= lanes <= WHOLE_LANES;
        (claimed.next_due, claimed.next_run) = (next_due, next_run);
        claimed.jobs.extend(job.into_job());
    }
    let found = claimed.jobs.len();
    // Nothing in the first lanes and no lanes after them: there is nothing until somebody tells.
    claimed.more = !after.is_first() || !claimed.next.is_first() || found == limit || found > 0 && !is_whole;
    claimed
}

impl JobRow {
    fn into_job(self) -> Option<Job> {
        let Self { id, tenant, kind, payload, attempts, max_attempts, claims, run_at } = self;
        Some(Job {
            id: id?,
            tenant,
            kind: kind?,
            payload: payload?,
            attempt: attempts?,
            max_attempts: max_attempts?,
            run_at: run_at?,
            claims: claims?,
        })
    }
}
