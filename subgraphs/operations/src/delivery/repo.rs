//! Rows of `operations.deliveries`.

use async_graphql::InputObject;
use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{DeliveryId, OrgId, Tag, WebhookId};
use sqlx::{Postgres, QueryBuilder};

use super::{DeliveryError, DeliveryRow, DeliveryStatus, Replay, SUBJECT};
use crate::dispatch::payload::TEST;

macro_rules! columns {
    () => {
        "id, event_type, body, status, attempts, next_attempt_at, last_attempt_at, last_status_code,
         last_duration_ms, last_error, created_at"
    };
}

/// Which deliveries of a webhook.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct DeliveryFilter {
    /// Those with this status.
    pub status: Option<DeliveryStatus>,
    /// Those of events of this type, such as `entities.entity.created`.
    pub event_type: Option<String>,
    /// Those that were made at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Those that were made before this time.
    pub to: Option<DateTime<Utc>>,
}

/// A page of a webhook's deliveries, the newest first.
pub(crate) async fn page(
    session: &Session,
    webhook: WebhookId,
    filter: &DeliveryFilter,
    page: &Page,
) -> Result<Vec<DeliveryRow>, Error<DeliveryError>> {
    session.tag(|| Tag::row(SUBJECT, webhook.uuid()));
    let mut query = page_query("", webhook, filter, page)?;
    Ok(session.fetch_all("deliveries.page", query.build_query_as()).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    webhook: WebhookId,
    filter: &DeliveryFilter,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, DeliveryError> {
    let mut query = QueryBuilder::new(verb);
    query.push(concat!("SELECT ", columns!(), " FROM operations.deliveries"));
    push_filter(&mut query, webhook, filter);
    if let Some(cursor) = &page.from {
        let (id,): (DeliveryId,) = cursor.values()?;
        query.push(if page.backwards { " AND id > " } else { " AND id < " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id LIMIT " } else { " ORDER BY id DESC LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(
    session: &Session,
    webhook: WebhookId,
    filter: &DeliveryFilter,
) -> Result<i64, StoreError> {
    session.tag(|| Tag::row(SUBJECT, webhook.uuid()));
    let mut query = QueryBuilder::new("SELECT count(*) FROM operations.deliveries");
    push_filter(&mut query, webhook, filter);
    let (count,): (i64,) = session.fetch_one("deliveries.count", query.build_query_as()).await?;
    Ok(count)
}

/// Ids begin with the time at which they were made, so a time is a bound of ids, and the index by ids serves it.
fn push_filter(query: &mut QueryBuilder<Postgres>, webhook: WebhookId, filter: &DeliveryFilter) {
    let DeliveryFilter { status, event_type, from, to } = filter;
    query.push(" WHERE webhook_id = ").push_bind(webhook);
    if let Some(status) = status {
        query.push(" AND status = ").push_bind(*status);
    }
    if let Some(event_type) = event_type {
        query.push(" AND event_type = ").push_bind(event_type.clone());
    }
    if let Some(from) = from {
        query.push(" AND id >= ").push_bind(floor(*from));
    }
    if let Some(to) = to {
        query.push(" AND id < ").push_bind(floor(*to));
    }
}

/// The least UUIDv7 of a time, as `platform.uuid_floor` makes it.
pub(crate) fn floor(time: DateTime<Utc>) -> DeliveryId {
    let milliseconds = u128::try_from(time.timestamp_millis()).unwrap_or(0);
    DeliveryId::from_uuid(uuid::Uuid::from_u128(milliseconds << 80))
}

pub(crate) async fn find(session: &Session, id: DeliveryId) -> Result<Option<DeliveryRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM operations.deliveries WHERE id = $1");
    session.fetch_optional("deliveries.find", sqlx::query_as(sql).bind(id)).await
}

pub(crate) async fn webhook_of(session: &Session, id: DeliveryId) -> Result<Option<WebhookId>, StoreError> {
    let query =
        sqlx::query_as::<_, (WebhookId,)>("SELECT webhook_id FROM operations.deliveries WHERE id = $1");
    let row = session.fetch_optional("deliveries.webhook_of", query.bind(id)).await?;
    Ok(row.map(|(webhook,)| webhook))
}

pub(crate) async fn insert_test_in_tx(
    write: &mut Write,
    (org, id): (OrgId, DeliveryId),
    webhook: WebhookId,
    body: &str,
) -> Result<DeliveryRow, StoreError> {
    let sql = concat!(
        "INSERT INTO operations.deliveries (org_id, id, webhook_id, event_type, body, status, next_attempt_at,
             created_at)
         VALUES ($1, $2, $3, $4, $5, 'PENDING', $6, $6) RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql).bind(org).bind(id).bind(webhook).bind(TEST).bind(body).bind(write.now());
    write.fetch_one("deliveries.insert_test", query).await
}

/// Holds back what waits to be sent to a webhook, and gives it no turn.
pub(crate) async fn hold_in_tx(write: &mut Write, webhook: WebhookId) -> Result<(), StoreError> {
    let hold = sqlx::query(
        "UPDATE operations.deliveries SET status = 'HELD', next_attempt_at = NULL
          WHERE webhook_id = $1 AND status = 'PENDING'",
    );
    write.execute("deliveries.hold", hold.bind(webhook)).await?;
    let query = sqlx::query("UPDATE operations.dispatch SET due_at = NULL WHERE webhook = $1");
    write.execute("dispatch.hold", query.bind(webhook)).await.map(drop)
}

/// Has it sent now, with all attempts before it.
pub(crate) async fn replay_in_tx(
    write: &mut Write,
    id: DeliveryId,
) -> Result<Option<DeliveryRow>, StoreError> {
    let sql = concat!(
        "UPDATE operations.deliveries SET status = 'PENDING', attempts = 0, next_attempt_at = $2
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(write.now());
    write.fetch_optional("deliveries.replay", query).await
}

/// The same for those of a webhook since a time, the oldest first; how many, and when the last of them was made.
pub(crate) async fn replay_since_in_tx(
    write: &mut Write,
    Replay { webhook, since, delivered_too }: Replay,
    limit: i64,
) -> Result<(i64, Option<DateTime<Utc>>), StoreError> {
    let mut statuses = vec![DeliveryStatus::Failed, DeliveryStatus::Held];
    statuses.extend(delivered_too.then_some(DeliveryStatus::Delivered));
    let query = sqlx::query_as(
        "WITH replayed AS (
             UPDATE operations.deliveries SET status = 'PENDING', attempts = 0, next_attempt_at = $5
              WHERE id IN (SELECT id FROM operations.deliveries
                            WHERE webhook_id = $1 AND id >= $2 AND status = ANY ($3) ORDER BY id LIMIT $4)
             RETURNING created_at
         )
         SELECT count(*), max(created_at) FROM replayed",
    );
    let query = query.bind(webhook).bind(floor(since)).bind(statuses).bind(limit).bind(write.now());
    write.fetch_one("deliveries.replay_since", query).await
}
