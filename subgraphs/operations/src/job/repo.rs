//! Rows of `platform.jobs`, where jobs wait and run, and of `platform.jobs_ended`. The database shows a tenant its own.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, JsonObject, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{JobId, Tag};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use super::{JobError, JobRow, JobStatus, SUBJECT};

macro_rules! waiting {
    () => {
        "id, kind, status, priority, attempts, max_attempts, run_at, progress, unique_key, error, actor, cancel, version,
         schedule, created_at, started_at, finished_at"
    };
}

macro_rules! ended {
    () => {
        "id, kind, status, priority, attempts, max_attempts, run_at, progress, unique_key, error, actor,
         status = 'cancelled' AS cancel, version, schedule, created_at, started_at, finished_at"
    };
}

/// Jobs of one table, and of one status if so said: what one index has in order.
#[derive(Debug, Clone, Copy)]
struct Arm {
    have_ended: bool,
    status: Option<JobStatus>,
}

/// Which jobs, in which order.
#[derive(Debug, Clone, Default)]
pub(crate) struct JobList {
    /// Those of these; all of them when there is none.
    pub(crate) statuses: Vec<JobStatus>,
    pub(crate) kind: Option<String>,
    pub(crate) from: Option<DateTime<Utc>>,
    pub(crate) to: Option<DateTime<Utc>>,
    /// The oldest first.
    pub(crate) ascending: bool,
}

impl JobList {
    pub(crate) fn check(&self) -> Result<(), JobError> {
        match self.kind.as_ref().map_or(1, |kind| kind.chars().count()) {
            1..=100 => Ok(()),
            length => Err(JobError::Kind(length)),
        }
    }

    fn arms(&self) -> Vec<Arm> {
        if self.statuses.is_empty() {
            return [false, true].map(|have_ended| Arm { have_ended, status: None }).into();
        }
        let arm = |status: &JobStatus| Arm { have_ended: status.is_end(), status: Some(*status) };
        self.statuses.iter().map(arm).collect()
    }

    fn tags(&self) -> impl Iterator<Item = Tag> {
        let kind = self.kind.clone();
        let narrowed = move |tag: Tag| match &kind {
            Some(kind) => tag.with("kind", kind.as_str()),
            None => tag,
        };
        let statuses = self.statuses.clone();
        let any = statuses.is_empty().then(|| Tag::list(SUBJECT));
        let each = statuses.into_iter().map(|status| Tag::list(SUBJECT).with("status", status.as_str()));
        any.into_iter().chain(each).map(narrowed)
    }
}

/// A page in the order of their making.
pub(crate) async fn page(
    session: &Session,
    list: &JobList,
    page: &Page,
) -> Result<Vec<JobRow>, Error<JobError>> {
    session.tag_all(list.tags());
    let mut query = page_query("", list, page)?;
    let rows: Vec<JobRow> = session.fetch_all("jobs.page", query.build_query_as()).await?;
    session.tag_all(rows.iter().map(|row| Tag::row(SUBJECT, row.id.uuid())));
    Ok(rows)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `. Each arm is read by an index, no further than the
/// page is long.
pub(crate) fn page_query(
    verb: &str,
    list: &JobList,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, JobError> {
    let after = match &page.from {
        Some(cursor) => {
            let (ascending, id): (bool, JobId) = cursor.values()?;
            if ascending != list.ascending {
                return Err(pulse_graphql::PageError::ForeignCursor.into());
            }
            Some(id)
        }
        None => None,
    };
    let upwards = list.ascending != page.backwards;
    let order = if upwards { " ORDER BY id LIMIT " } else { " ORDER BY id DESC LIMIT " };
    let mut query = QueryBuilder::new(verb);
    query.push("SELECT * FROM (");
    for (nth, arm) in list.arms().into_iter().enumerate() {
        query.push(if nth == 0 { "(" } else { " UNION ALL (" });
        push_select(&mut query, arm.have_ended);
        push_filter(&mut query, list, arm);
        if let Some(id) = after {
            query.push(if upwards { " AND id > " } else { " AND id < " }).push_bind(id);
        }
        query.push(order).push_bind(page.limit()).push(")");
    }
    query.push(") AS job").push(order).push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, list: &JobList) -> Result<i64, StoreError> {
    session.tag_all(list.tags());
    let mut query = QueryBuilder::new("SELECT ");
    for (nth, arm) in list.arms().into_iter().enumerate() {
        query.push(if nth == 0 { "(SELECT count(*) FROM " } else { " + (SELECT count(*) FROM " });
        query.push(if arm.have_ended { "platform.jobs_ended" } else { "platform.jobs" });
        push_filter(&mut query, list, arm);
        query.push(")");
    }
    let (count,): (i64,) = session.fetch_one("jobs.count", query.build_query_as()).await?;
    Ok(count)
}

fn push_select(query: &mut QueryBuilder<Postgres>, have_ended: bool) {
    query.push(if have_ended {
        concat!("SELECT ", ended!(), " FROM platform.jobs_ended")
    } else {
        concat!("SELECT ", waiting!(), " FROM platform.jobs")
    });
}

/// The status stands in the text, as the index of those that did not end well is for certain ones.
fn push_filter(query: &mut QueryBuilder<Postgres>, list: &JobList, arm: Arm) {
    query.push(" WHERE true");
    if let Some(status) = arm.status {
        query.push(format!(" AND status = '{}'", status.as_str()));
    }
    if let Some(kind) = &list.kind {
        query.push(" AND kind = ").push_bind(kind.clone());
    }
    if let Some(from) = list.from {
        query.push(" AND id >= ").push_bind(floor(from));
    }
    if let Some(to) = list.to {
        query.push(" AND id < ").push_bind(floor(to));
    }
}

/// The least id of a time: ids begin with when they were made.
fn floor(time: DateTime<Utc>) -> JobId {
    JobId::from_uuid(crate::delivery::repo::floor(time).uuid())
}

const FIND: &str = concat!(
    "SELECT ",
    waiting!(),
    " FROM platform.jobs WHERE id = ANY ($1) UNION ALL SELECT ",
    ended!(),
    " FROM platform.jobs_ended WHERE id = ANY ($1)"
);

pub(crate) async fn find(session: &Session, id: JobId) -> Result<Option<JobRow>, StoreError> {
    session.tag(|| Tag::row(SUBJECT, id.uuid()));
    session.fetch_optional("jobs.find", sqlx::query_as(FIND).bind([id])).await
}

pub(crate) async fn find_many(session: &Session, ids: &[JobId]) -> Result<Vec<JobRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.fetch_all("jobs.find_many", sqlx::query_as(FIND).bind(ids)).await
}

/// What those of them have brought that were done and had something to say.
pub(crate) async fn results(
    session: &Session,
    ids: &[JobId],
) -> Result<HashMap<JobId, JsonObject>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    let sql = "SELECT id, result FROM platform.jobs_ended WHERE id = ANY ($1) AND result IS NOT NULL";
    let rows: Vec<(JobId, Json<JsonObject>)> =
        session.fetch_all("jobs.results", sqlx::query_as(sql).bind(ids)).await?;
    Ok(rows.into_iter().map(|(id, Json(result))| (id, result)).collect())
}

/// One that waits or runs, which no worker changes until this write ends.
pub(crate) async fn lock_in_tx(write: &mut Write, id: JobId) -> Result<Option<JobRow>, StoreError> {
    let sql = concat!("SELECT ", waiting!(), " FROM platform.jobs WHERE id = $1 FOR UPDATE");
    write.fetch_optional("jobs.lock", sqlx::query_as(sql).bind(id)).await
}

/// One that has ended.
pub(crate) async fn ended_in_tx(write: &mut Write, id: JobId) -> Result<Option<JobRow>, StoreError> {
    let sql = concat!("SELECT ", ended!(), " FROM platform.jobs_ended WHERE id = $1");
    write.fetch_optional("jobs.ended", sqlx::query_as(sql).bind(id)).await
}

/// Asks the worker of a job that runs to give it up.
pub(crate) async fn ask_in_tx(write: &mut Write, id: JobId) -> Result<JobRow, StoreError> {
    let sql = concat!(
        "UPDATE platform.jobs SET cancel = true, version = version + 1 WHERE id = $1 RETURNING ",
        waiting!()
    );
    write.fetch_one("jobs.ask", sqlx::query_as(sql).bind(id)).await
}

/// Ends a job that waits.
pub(crate) async fn end_in_tx(write: &mut Write, id: JobId, status: JobStatus) -> Result<JobRow, StoreError> {
    let sql = concat!(
        "WITH gone AS (DELETE FROM platform.jobs WHERE id = $1 RETURNING *)
         INSERT INTO platform.jobs_ended (id, tenant, kind, payload, status, priority, attempts, max_attempts, run_at,
             progress, unique_key, error, actor, claims, version, schedule, created_at, started_at, finished_at)
         SELECT id, tenant, kind, payload, $2, priority, attempts, max_attempts, run_at, progress, unique_key, error,
                actor, claims, version + 1, schedule, created_at, started_at, $3
           FROM gone
         RETURNING ",
        ended!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(status).bind(write.now());
    write.fetch_one("jobs.end", query).await
}

/// Puts one that has ended back among those that wait; `None` when another one with its unique key is there. Its claims
/// go on counting, so that a worker of before can end nothing.
pub(crate) async fn again_in_tx(write: &mut Write, id: JobId) -> Result<Option<JobRow>, StoreError> {
    let sql = concat!(
        "WITH gone AS (DELETE FROM platform.jobs_ended WHERE id = $1 RETURNING *)
         INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, ready, unique_key, actor,
             claims, version, schedule, created_at)
         SELECT id, tenant, kind, payload, priority, max_attempts, $2, true, unique_key, actor, claims, version + 1,
                schedule, created_at
           FROM gone
             ON CONFLICT DO NOTHING
         RETURNING ",
        waiting!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(write.now());
    write.fetch_optional("jobs.again", query).await
}

/// Forgets one that has ended.
pub(crate) async fn forget_in_tx(write: &mut Write, id: JobId) -> Result<(), StoreError> {
    let query = sqlx::query("DELETE FROM platform.jobs_ended WHERE id = $1").bind(id);
    write.execute("jobs.forget_one", query).await.map(drop)
}
