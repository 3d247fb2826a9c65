//! Rows of `platform.dead_letters`, and failed ones of `platform.jobs_ended`. The database shows a tenant its own.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{DeadLetterId, Tag};
use sqlx::{Postgres, QueryBuilder};

use super::{DeadLetterError, DeadLetterRow, DeadLetterSource, SUBJECT};
use crate::job::SUBJECT as JOB;

macro_rules! columns {
    () => {
        "id, 'event' AS source, consumer AS name, attempts, error, at, retry, event"
    };
}

const OF_EVENTS: &str = concat!("SELECT ", columns!(), " FROM platform.dead_letters WHERE true");

const OF_JOBS: &str = "SELECT id, 'job', kind, attempts, error, finished_at, false, NULL::jsonb
     FROM platform.jobs_ended WHERE status = 'failed'";

/// Which of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct DeadLetterList {
    pub(crate) source: Option<DeadLetterSource>,
    pub(crate) name: Option<String>,
}

impl DeadLetterList {
    pub(crate) fn check(&self) -> Result<(), DeadLetterError> {
        match self.name.as_ref().map_or(1, |name| name.chars().count()) {
            1..=100 => Ok(()),
            length => Err(DeadLetterError::Name(length)),
        }
    }

    /// Whether those of this source are wanted, and how they are read.
    fn arms(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let source = self.source;
        [(DeadLetterSource::Event, OF_EVENTS, "consumer"), (DeadLetterSource::Job, OF_JOBS, "kind")]
            .into_iter()
            .filter(move |(of, ..)| source.is_none_or(|source| source == *of))
            .map(|(_, select, name)| (select, name))
    }
}

fn tags() -> [Tag; 2] {
    [Tag::list(SUBJECT), Tag::list(JOB).with("status", "failed")]
}

/// A page, the newest first.
pub(crate) async fn page(
    session: &Session,
    list: &DeadLetterList,
    page: &Page,
) -> Result<Vec<DeadLetterRow>, Error<DeadLetterError>> {
    session.tag_all(tags());
    Ok(session.fetch_all("dead_letters.page", page_query("", list, page)?.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    list: &DeadLetterList,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, DeadLetterError> {
    let after = match &page.from {
        Some(cursor) => Some(cursor.values::<(DeadLetterId,)>()?.0),
        None => None,
    };
    let order = if page.backwards { " ORDER BY id LIMIT " } else { " ORDER BY id DESC LIMIT " };
    let mut query = QueryBuilder::new(verb);
    query.push("SELECT * FROM (");
    for (nth, (select, name)) in list.arms().enumerate() {
        query.push(if nth == 0 { "(" } else { " UNION ALL (" }).push(select);
        push_name(&mut query, list, name);
        if let Some(id) = after {
            query.push(if page.backwards { " AND id > " } else { " AND id < " }).push_bind(id);
        }
        query.push(order).push_bind(page.limit()).push(")");
    }
    query.push(") AS letter (id, source, name, attempts, error, at, retry, event)");
    query.push(order).push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, list: &DeadLetterList) -> Result<i64, StoreError> {
    session.tag_all(tags());
    let mut query = QueryBuilder::new("SELECT count(*) FROM (");
    for (nth, (select, name)) in list.arms().enumerate() {
        query.push(if nth == 0 { "" } else { " UNION ALL " }).push(select);
        push_name(&mut query, list, name);
    }
    query.push(") AS letter");
    let (count,): (i64,) = session.fetch_one("dead_letters.count", query.build_query_as()).await?;
    Ok(count)
}

fn push_name(query: &mut QueryBuilder<Postgres>, list: &DeadLetterList, column: &str) {
    if let Some(name) = &list.name {
        query.push(format!(" AND {column} = ")).push_bind(name.clone());
    }
}

/// Has its group try it once more.
pub(crate) async fn retry_in_tx(
    write: &mut Write,
    id: DeadLetterId,
) -> Result<Option<DeadLetterRow>, StoreError> {
    let sql = concat!("UPDATE platform.dead_letters SET retry = true WHERE id = $1 RETURNING ", columns!());
    write.fetch_optional("dead_letters.retry", sqlx::query_as(sql).bind(id)).await
}

pub(crate) async fn discard_in_tx(
    write: &mut Write,
    id: DeadLetterId,
) -> Result<Option<DeadLetterRow>, StoreError> {
    let sql = concat!("DELETE FROM platform.dead_letters WHERE id = $1 RETURNING ", columns!());
    write.fetch_optional("dead_letters.discard", sqlx::query_as(sql).bind(id)).await
}
