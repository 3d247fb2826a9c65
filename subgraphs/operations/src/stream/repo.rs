//! Rows of `operations.streams`. Those of a gateway whose lease is over are not there any more.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, StreamId, Tag};
use sqlx::{Postgres, QueryBuilder};

use super::{STREAMS_ENDED, StreamError, StreamRow, StreamType, Which};

const FROM: &str =
    " FROM operations.streams s JOIN operations.gateways g ON g.id = s.gateway AND g.lease_until > now()";

/// Which streams are listed.
#[derive(Debug, Clone, Default)]
pub(crate) struct StreamFilter {
    pub(crate) which: Which,
    pub(crate) kind: Option<StreamType>,
}

/// A page of the tenant's streams, in the order in which they were opened.
pub(crate) async fn page(
    session: &Session,
    filter: &StreamFilter,
    page: &Page,
) -> Result<Vec<StreamRow>, Error<StreamError>> {
    session.tag(|| Tag::list(STREAMS_ENDED));
    let mut query = page_query("", filter, page)?;
    Ok(session.fetch_all("streams.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    filter: &StreamFilter,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, StreamError> {
    let mut query = QueryBuilder::new(verb);
    query.push(
        "SELECT s.id, s.person, s.machine, s.session, s.kind, s.transport, s.operation, s.hash, s.opened_at",
    );
    query.push(FROM).push(" WHERE s.tenant = nullif(current_setting('pulse.org_id', true), '')::uuid");
    push_filter(&mut query, filter);
    if let Some(cursor) = &page.from {
        let (id,): (StreamId,) = cursor.values()?;
        query.push(if page.backwards { " AND s.id < " } else { " AND s.id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY s.id DESC LIMIT " } else { " ORDER BY s.id LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, filter: &StreamFilter) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(STREAMS_ENDED));
    let mut query = QueryBuilder::new("SELECT count(*)");
    query.push(FROM).push(" WHERE s.tenant = nullif(current_setting('pulse.org_id', true), '')::uuid");
    push_filter(&mut query, filter);
    let (count,): (i64,) = session.fetch_one("streams.count", query.build_query_as()).await?;
    Ok(count)
}

pub(crate) async fn count_in_tx(write: &mut Write, org: OrgId, which: &Which) -> Result<i64, StoreError> {
    let mut query = QueryBuilder::new("SELECT count(*)");
    query.push(FROM).push(" WHERE s.tenant = ").push_bind(org);
    push_which(&mut query, which);
    let (count,): (i64,) = write.fetch_one("streams.count", query.build_query_as()).await?;
    Ok(count)
}

fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &StreamFilter) {
    push_which(query, &filter.which);
    if let Some(kind) = filter.kind {
        query.push(" AND s.kind = ").push_bind(kind);
    }
}

fn push_which(query: &mut QueryBuilder<Postgres>, which: &Which) {
    let Which { id, user, machine, session, operation } = which;
    if let Some(id) = id {
        query.push(" AND s.id = ").push_bind(*id);
    }
    if let Some(user) = user {
        query.push(" AND s.person = ").push_bind(*user);
    }
    if let Some(machine) = machine {
        query.push(" AND s.machine = ").push_bind(*machine);
    }
    if let Some(session) = session {
        query.push(" AND s.session = ").push_bind(*session);
    }
    if let Some(operation) = operation {
        query.push(" AND (s.operation = ").push_bind(operation.clone());
        query.push(" OR s.hash = ").push_bind(operation.clone()).push(")");
    }
}
