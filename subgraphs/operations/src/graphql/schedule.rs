//! `Schedule`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Permission, ScheduleId, UserId};

use super::job::Job;
use crate::schedule::{self, MissedRuns, ScheduleError, ScheduleRow, repo};

/// Jobs of the organization that are enqueued by the clock.
#[derive(SimpleObject)]
pub(crate) struct Schedule {
    /// Its id.
    id: ScheduleId,
    /// What it is called, once in an organization.
    name: String,
    /// The kind of the jobs that it enqueues.
    job_kind: String,
    /// When: a cron expression of five fields, or six with seconds first.
    cron: String,
    /// The IANA time zone in which the expression is read.
    time_zone: String,
    /// What is made up for when no worker was there to fire.
    missed_runs: MissedRuns,
    /// Whether it fires no more until it is resumed.
    is_paused: bool,
    /// When it fires next; null when it is paused, or never again.
    next_run_at: Option<DateTime<Utc>>,
    /// The time for which it fired last.
    last_run_at: Option<DateTime<Utc>>,
    /// Its version, from 1; firing does not count.
    version: i64,
    /// The person who made it; null for Pulse itself.
    actor_id: Option<UserId>,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// When somebody last changed it.
    updated_at: DateTime<Utc>,
}

impl From<ScheduleRow> for Schedule {
    fn from(row: ScheduleRow) -> Self {
        let ScheduleRow { id, name, kind, cron, zone, missed, enabled, next_run, last_run, .. } = row;
        Self {
            id,
            name,
            job_kind: kind,
            cron,
            time_zone: zone,
            missed_runs: missed,
            is_paused: !enabled,
            next_run_at: next_run.filter(|_| enabled),
            last_run_at: last_run,
            version: row.version,
            actor_id: row.actor,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Which schedule to pause.
#[derive(InputObject)]
pub(crate) struct PauseScheduleInput {
    /// Which one.
    id: ScheduleId,
}

/// A paused schedule.
#[derive(SimpleObject)]
pub(crate) struct PauseSchedulePayload {
    /// The schedule.
    schedule: Schedule,
}

/// Which schedule to resume.
#[derive(InputObject)]
pub(crate) struct ResumeScheduleInput {
    /// Which one.
    id: ScheduleId,
}

/// A schedule that fires again.
#[derive(SimpleObject)]
pub(crate) struct ResumeSchedulePayload {
    /// The schedule.
    schedule: Schedule,
}

/// Which schedule to run.
#[derive(InputObject)]
pub(crate) struct RunScheduleInput {
    /// Which one.
    id: ScheduleId,
}

/// A schedule that was run beside its times.
#[derive(SimpleObject)]
pub(crate) struct RunSchedulePayload {
    /// The schedule.
    schedule: Schedule,
    /// Its job; the one that waits already, when there is one from such a request.
    job: Job,
}

/// Queries about schedules.
#[derive(Default)]
pub(crate) struct ScheduleQuery;

#[Object]
impl ScheduleQuery {
    /// One schedule of the organization, or null when there is none that the caller may see.
    async fn schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ScheduleId,
    ) -> Option<Result<Schedule, Error>> {
        schedule::get(ctx.session(), id).await.map(|row| row.map(Schedule::from)).transpose()
    }

    /// The organization's schedules by name. Those of Pulse itself are nobody's and not among them.
    async fn schedules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Schedule>, Error<ScheduleError>> {
        let session = ctx.session();
        session.caller().require(&Permission::JOB_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(ScheduleError::from)?;
        let rows = repo::page(session, &page).await?;
        let total = Total::new(|session| async move { repo::count(&session).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(&row.name,)), Schedule::from(row))))
    }
}

/// Mutations of schedules.
#[derive(Default)]
pub(crate) struct ScheduleMutation;

#[Object]
impl ScheduleMutation {
    /// Lets a schedule fire no more until it is resumed. Needs `job:manage`.
    async fn pause_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: PauseScheduleInput,
    ) -> Result<PauseSchedulePayload, Error<ScheduleError>> {
        let row = schedule::pause(ctx.session(), input.id).await?;
        Ok(PauseSchedulePayload { schedule: row.into() })
    }

    /// Lets a schedule fire again from its next time on. What it would have run meanwhile is not made up for. Needs
    /// `job:manage`.
    async fn resume_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ResumeScheduleInput,
    ) -> Result<ResumeSchedulePayload, Error<ScheduleError>> {
        let row = schedule::resume(ctx.session(), input.id).await?;
        Ok(ResumeSchedulePayload { schedule: row.into() })
    }

    /// Enqueues a schedule's job now, also when it is paused. Needs `job:manage`.
    async fn run_schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RunScheduleInput,
    ) -> Result<RunSchedulePayload, Error<ScheduleError>> {
        let (schedule, job) = schedule::run(ctx.session(), input.id).await?;
        Ok(RunSchedulePayload { schedule: schedule.into(), job: job.into() })
    }
}
