//! `Job`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{ComplexObject, Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, JsonObject, Page, PageLimits, Total};
use pulse_types::{JobId, Permission, ScheduleId, UserId};

use super::Loaders;
use crate::job::repo::{self, JobList};
use crate::job::{self, JobError, JobRow, JobStatus};

/// Work that is done in the background, at least once.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Job {
    /// Its id.
    pub(crate) id: JobId,
    /// What is to be done: `subgraph.what`.
    kind: String,
    /// What is being done about it.
    status: JobStatus,
    /// How far it is, in per cent; of the last attempt.
    progress: i32,
    /// How often it was started.
    attempts: i32,
    /// How often it may be started.
    max_attempts: i32,
    /// Of the organization's jobs of a kind the higher run first; 0 is usual.
    priority: i32,
    /// It is not started before this time.
    run_at: DateTime<Utc>,
    /// While a job of this kind with this key waits or runs, no other with the same key is enqueued.
    unique_key: Option<String>,
    /// Why the last attempt failed; null when none did.
    error: Option<String>,
    /// Whether somebody has asked for it to be cancelled. One that runs is given up by its worker a moment later.
    cancel_requested: bool,
    /// The person whose request enqueued it; null for Pulse itself.
    actor_id: Option<UserId>,
    /// The schedule that enqueued it, if one did.
    schedule_id: Option<ScheduleId>,
    /// Counts what was told of it.
    version: i64,
    /// When it was enqueued.
    created_at: DateTime<Utc>,
    /// When the last attempt began.
    started_at: Option<DateTime<Utc>>,
    /// When it ended; null as long as it waits or runs.
    ended_at: Option<DateTime<Utc>>,
}

impl From<JobRow> for Job {
    fn from(row: JobRow) -> Self {
        let JobRow { id, kind, status, priority, attempts, max_attempts, run_at, progress, .. } = row;
        Self {
            id,
            kind,
            status,
            progress: progress.into(),
            attempts,
            max_attempts,
            priority: priority.into(),
            run_at,
            unique_key: row.unique_key,
            error: row.error,
            cancel_requested: row.cancel,
            actor_id: row.actor,
            schedule_id: row.schedule,
            version: row.version,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.finished_at,
        }
    }
}

#[ComplexObject]
impl Job {
    /// What it has brought, as its kind says it; null unless it is completed and had something to say. At most 64 KiB.
    async fn result(&self, ctx: &Context<'_>) -> Option<Result<JsonObject, Error>> {
        if self.status != JobStatus::Completed {
            return None;
        }
        ctx.part::<Loaders>().job_results.load(self.id).await.map_err(Error::from).transpose()
    }
}

/// Which jobs. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct JobFilter {
    /// Those with one of these statuses.
    statuses: Option<Vec<JobStatus>>,
    /// Those of this kind.
    kind: Option<String>,
    /// Those that were enqueued at this time or later.
    from: Option<DateTime<Utc>>,
    /// Those that were enqueued before this time.
    to: Option<DateTime<Utc>>,
}

/// What jobs can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum JobOrderField {
    /// When they were enqueued.
    CreatedAt,
}

/// Which way a list of jobs is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum JobOrderDirection {
    /// The oldest first.
    Asc,
    /// The newest first.
    Desc,
}

/// The order of a list of jobs.
#[derive(Debug, InputObject)]
pub(crate) struct JobOrder {
    /// By what.
    field: JobOrderField,
    /// Which way.
    #[graphql(default_with = "JobOrderDirection::Desc")]
    direction: JobOrderDirection,
}

/// Which job to cancel.
#[derive(InputObject)]
pub(crate) struct CancelJobInput {
    /// Which one.
    id: JobId,
}

/// A job that is cancelled, or about to be.
#[derive(SimpleObject)]
pub(crate) struct CancelJobPayload {
    /// The job: one that waited is CANCELLED, one that runs says `cancelRequested`.
    job: Job,
}

/// Which job to have done again.
#[derive(InputObject)]
pub(crate) struct RetryJobInput {
    /// Which one.
    id: JobId,
    /// Makes the request safe to repeat: with the same key it is done once.
    idempotency_key: Option<String>,
}

/// A job that is done again.
#[derive(SimpleObject)]
pub(crate) struct RetryJobPayload {
    /// The job as it waits.
    job: Job,
}

impl JobList {
    fn of(filter: JobFilter, order: Option<&JobOrder>) -> Self {
        let JobFilter { statuses, kind, from, to } = filter;
        let ascending = order.is_some_and(|order| {
            let JobOrder { field: JobOrderField::CreatedAt, direction } = order;
            *direction == JobOrderDirection::Asc
        });
        let mut statuses = statuses.unwrap_or_default();
        statuses.sort_unstable();
        statuses.dedup();
        Self { statuses, kind, from, to, ascending }
    }
}

/// Queries about jobs.
#[derive(Default)]
pub(crate) struct JobQuery;

#[Object]
impl JobQuery {
    /// One job, or null when there is none that the caller may see. Jobs are kept for a while after they ended.
    async fn job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: JobId,
    ) -> Option<Result<Job, Error>> {
        job::get(ctx.session(), id).await.map(|row| row.map(Job::from)).transpose()
    }

    /// The organization's jobs, those that have ended too, the newest first unless said otherwise.
    async fn jobs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only these.")] filter: Option<JobFilter>,
        #[graphql(desc = "The order; the newest first unless given.")] order_by: Option<JobOrder>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Job>, Error<JobError>> {
        let session = ctx.session();
        session.caller().require(&Permission::JOB_READ)?;
        let page =
            Page::try_new((first, after), (last, before), PageLimits::USUAL).map_err(JobError::from)?;
        let wanted = JobList::of(filter.unwrap_or_default(), order_by.as_ref());
        wanted.check()?;
        let rows = repo::page(session, &wanted, &page).await?;
        let ascending = wanted.ascending;
        let total = Total::new(move |session| {
            let wanted = wanted.clone();
            async move { repo::count(&session, &wanted).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(ascending, row.id)), Job::from(row))))
    }

    #[graphql(entity)]
    async fn find_job(&self, ctx: &Context<'_>, #[graphql(key)] id: JobId) -> Option<Result<Job, Error>> {
        Job::fetch(ctx, id).await
    }
}

impl Job {
    /// The job of that id, with others that are asked for at the same time.
    pub(crate) async fn fetch(ctx: &Context<'_>, id: JobId) -> Option<Result<Self, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::JOB_READ) {
            return Some(Err(refusal.into()));
        }
        let row = ctx.part::<Loaders>().jobs.load(id).await;
        row.map(|row| row.map(Self::from)).map_err(Error::from).transpose()
    }
}

/// Mutations of jobs.
#[derive(Default)]
pub(crate) struct JobMutation;

#[Object]
impl JobMutation {
    /// Has a job not done. One that waits is cancelled with this; one that runs is given up by its worker a moment later,
    /// unless it ends before. Needs `job:manage`.
    async fn cancel_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: CancelJobInput,
    ) -> Result<CancelJobPayload, Error<JobError>> {
        let row = job::cancel(ctx.session(), input.id).await?;
        Ok(CancelJobPayload { job: row.into() })
    }

    /// Has a job done that failed or was cancelled, with all attempts before it. One that waits or runs already stays as it
    /// is. Needs `job:manage`.
    async fn retry_job(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RetryJobInput,
    ) -> Result<RetryJobPayload, Error<JobError>> {
        let row = job::retry(ctx.session(), input.id, input.idempotency_key).await?;
        Ok(RetryJobPayload { job: row.into() })
    }
}
