//! Rows of `analytics.events`.

use std::collections::BTreeSet;

use async_graphql::InputObject;
use chrono::{DateTime, NaiveDate, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{Session, Store, StoreError, Write};
use pulse_types::{EntityId, EventId, OrgId, Tag, UserId};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use super::{EventError, EventRow, NewEvent};

/// Which events.
#[derive(Debug, Clone, Default, InputObject)]
#[graphql(name = "AnalyticsEventFilter")]
pub(crate) struct EventFilter {
    /// Those of this name.
    pub(crate) name: Option<String>,
    /// Those that happened to this entity.
    pub(crate) entity_id: Option<EntityId>,
    /// Those that happened at this time or later.
    pub(crate) from: Option<DateTime<Utc>>,
    /// Those that happened before this time.
    pub(crate) to: Option<DateTime<Utc>>,
}

impl EventFilter {
    fn tags(&self) -> impl Iterator<Item = Tag> {
        super::tags(self.name.as_ref().map(std::slice::from_ref), self.entity_id)
    }
}

/// How many are new.
pub(crate) async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    ids: &[EventId],
    events: &[NewEvent],
) -> Result<i64, StoreError> {
    let now = write.now();
    let query = sqlx::query_as(include_str!("../queries/insert_events.sql"))
        .bind(org)
        .bind(ids)
        .bind(events.iter().map(|event| event.at.unwrap_or(now)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.value).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.entity_id.map(EntityId::uuid)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.actor_id.map(UserId::uuid)).collect::<Vec<_>>())
        .bind(events.iter().map(|event| event.dedupe_key.as_deref()).collect::<Vec<_>>())
        .bind(events.iter().map(|event| Json(&event.properties)).collect::<Vec<_>>());
    let (new,) = write.fetch_one("events.insert", query).await?;
    Ok(new)
}

/// Makes the partitions of months, each given by its first day, that have none.
pub(crate) async fn make_months(store: &Store, months: BTreeSet<NaiveDate>) -> Result<(), StoreError> {
    let mut connection = store.maintenance().await?;
    for month in months {
        let make = sqlx::query("SELECT analytics.make_month($1)").bind(month);
        connection.execute("events.make_month", make).await?;
    }
    connection.commit().await
}

/// A page, the latest first.
pub(crate) async fn page(
    session: &Session,
    org: OrgId,
    filter: &EventFilter,
    page: &Page,
) -> Result<Vec<EventRow>, Error<EventError>> {
    session.tag_all(filter.tags());
    Ok(session.fetch_all("events.page", page_query("", org, filter, page)?.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    org: OrgId,
    filter: &EventFilter,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, EventError> {
    let mut query = QueryBuilder::new(verb);
    query.push("SELECT at, id, name, value, entity_id, actor_id, properties");
    push_from(&mut query, org, filter);
    if let Some(cursor) = &page.from {
        let (at, id): (DateTime<Utc>, EventId) = cursor.values()?;
        query.push(if page.backwards { " AND (at, id) > (" } else { " AND (at, id) < (" });
        query.push_bind(at).push(", ").push_bind(id).push(")");
    }
    query.push(if page.backwards { " ORDER BY at, id LIMIT " } else { " ORDER BY at DESC, id DESC LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session, org: OrgId, filter: &EventFilter) -> Result<i64, StoreError> {
    session.tag_all(filter.tags());
    let mut query = QueryBuilder::new("SELECT count(*)");
    push_from(&mut query, org, filter);
    let (count,): (i64,) = session.fetch_one("events.count", query.build_query_as()).await?;
    Ok(count)
}

fn push_from(query: &mut QueryBuilder<Postgres>, org: OrgId, filter: &EventFilter) {
    let EventFilter { name, entity_id, from, to } = filter;
    query.push(" FROM analytics.events WHERE org_id = ").push_bind(org);
    if let Some(name) = name {
        query.push(" AND name = ").push_bind(name.clone());
    }
    if let Some(entity) = entity_id {
        query.push(" AND entity_id = ").push_bind(*entity);
    }
    if let Some(from) = from {
        query.push(" AND at >= ").push_bind(*from);
    }
    if let Some(to) = to {
        query.push(" AND at < ").push_bind(*to);
    }
}
