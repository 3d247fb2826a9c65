//! Rows of `platform.schedules`. The database shows a tenant its own.

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{JobId, ScheduleId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::{SUBJECT, ScheduleError, ScheduleRow};
use crate::job::JobRow;

macro_rules! columns {
    () => {
        "id, name, kind, cron, zone, missed, enabled, next_run, last_run, version, actor, created_at, updated_at"
    };
}

/// A page in the order of their names.
pub(crate) async fn page(session: &Session, page: &Page) -> Result<Vec<ScheduleRow>, Error<ScheduleError>> {
    session.tag(|| Tag::list(SUBJECT));
    Ok(session.fetch_all("schedules.page", page_query("", page)?.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(verb: &str, page: &Page) -> Result<QueryBuilder<Postgres>, ScheduleError> {
    let mut query = QueryBuilder::new(verb);
    query.push(concat!("SELECT ", columns!(), " FROM platform.schedules WHERE true"));
    if let Some(cursor) = &page.from {
        let (name,): (String,) = cursor.values()?;
        query.push(if page.backwards { " AND name < " } else { " AND name > " }).push_bind(name);
    }
    query.push(if page.backwards { " ORDER BY name DESC LIMIT " } else { " ORDER BY name LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    let query = sqlx::query_as("SELECT count(*) FROM platform.schedules");
    let (count,): (i64,) = session.fetch_one("schedules.count", query).await?;
    Ok(count)
}

pub(crate) async fn find(session: &Session, id: ScheduleId) -> Result<Option<ScheduleRow>, StoreError> {
    session.tag(|| Tag::row(SUBJECT, id.uuid()));
    let sql = concat!("SELECT ", columns!(), " FROM platform.schedules WHERE id = $1");
    session.fetch_optional("schedules.find", sqlx::query_as(sql).bind(id)).await
}

/// One that does not fire until this write ends.
pub(crate) async fn lock_in_tx(write: &mut Write, id: ScheduleId) -> Result<Option<ScheduleRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM platform.schedules WHERE id = $1 FOR UPDATE");
    write.fetch_optional("schedules.lock", sqlx::query_as(sql).bind(id)).await
}

/// Pauses or resumes it.
pub(crate) async fn set_in_tx(
    write: &mut Write,
    id: ScheduleId,
    enabled: bool,
    next_run: Option<DateTime<Utc>>,
) -> Result<ScheduleRow, StoreError> {
    let sql = concat!(
        "UPDATE platform.schedules SET enabled = $2, next_run = $3, version = version + 1, updated_at = $4
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(enabled).bind(next_run).bind(write.now());
    write.fetch_one("schedules.set", query).await
}

/// Its job, to be done now, and whether it is a new one.
pub(crate) async fn run_in_tx(
    write: &mut Write,
    (schedule, job): (ScheduleId, JobId),
    actor: Option<UserId>,
) -> Result<(JobRow, bool), StoreError> {
    let enqueue = sqlx::query_as(
        "INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, ready, unique_key, actor,
             schedule, created_at)
         SELECT $2, tenant, kind, payload, priority, 3, $3, true, id || ' now', $4, id, $3
           FROM platform.schedules WHERE id = $1
             ON CONFLICT DO NOTHING
         RETURNING id, kind, status, priority, attempts, max_attempts, run_at, progress, unique_key, error, actor, cancel,
             version, schedule, created_at, started_at, finished_at",
    );
    let enqueue = enqueue.bind(schedule).bind(job).bind(write.now()).bind(actor);
    if let Some(row) = write.fetch_optional("schedules.run", enqueue).await? {
        return Ok((row, true));
    }
    let waiting = sqlx::query_as(
        "SELECT job.id, job.kind, status, job.priority, attempts, max_attempts, run_at, progress, unique_key, error,
                job.actor, cancel, job.version, schedule, job.created_at, started_at, finished_at
           FROM platform.schedules AS schedule JOIN platform.jobs AS job ON job.kind = schedule.kind
            AND job.tenant = schedule.tenant AND unique_key = schedule.id || ' now'
          WHERE schedule.id = $1",
    );
    Ok((write.fetch_one("schedules.run_that_waits", waiting.bind(schedule)).await?, false))
}
