//! Rows of `operations.webhooks`, and of `operations.dispatch` as far as a webhook's own writes go.

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page};
use pulse_sealing::KeyId;
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, Tag, UserId, WebhookId};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};

use super::{NewWebhook, PauseReason, SUBJECT, WebhookError, WebhookRow};
use crate::delivery::SUBJECT as DELIVERIES;

macro_rules! columns {
    () => {
        "id, url, description, filter, previous_secret_until, state, pause_reason, paused_at, failing_since,
         failed_in_row, version, created_at, updated_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM operations.webhooks WHERE ", $tail)
    };
}

/// The webhook itself, and its deliveries, by which it is known to be failing.
fn tags(id: WebhookId) -> [Tag; 2] {
    [Tag::row(SUBJECT, id.uuid()), Tag::row(DELIVERIES, id.uuid())]
}

pub(crate) async fn find(session: &Session, id: WebhookId) -> Result<Option<WebhookRow>, StoreError> {
    session.tag_all(tags(id));
    session.fetch_optional("webhooks.find", sqlx::query_as(select!("id = $1")).bind(id)).await
}

pub(crate) async fn find_many(session: &Session, ids: &[WebhookId]) -> Result<Vec<WebhookRow>, StoreError> {
    session.tag_all(ids.iter().flat_map(|id| tags(*id)));
    session.fetch_all("webhooks.find_many", sqlx::query_as(select!("id = ANY ($1)")).bind(ids)).await
}

/// A page in the order in which they were made.
pub(crate) async fn page(session: &Session, page: &Page) -> Result<Vec<WebhookRow>, Error<WebhookError>> {
    session.tag(|| Tag::list(SUBJECT));
    let mut query = page_query("", page)?;
    let rows: Vec<WebhookRow> = session.fetch_all("webhooks.page", query.build_query_as()).await?;
    session.tag_all(rows.iter().map(|row| Tag::row(DELIVERIES, row.id.uuid())));
    Ok(rows)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(verb: &str, page: &Page) -> Result<QueryBuilder<Postgres>, WebhookError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!("true"));
    if let Some(cursor) = &page.from {
        let (id,): (WebhookId,) = cursor.values()?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    let query = sqlx::query_as("SELECT count(*) FROM operations.webhooks");
    let (count,): (i64,) = session.fetch_one("webhooks.count", query).await?;
    Ok(count)
}

/// Inserts it, unless the tenant has `limit` already.
pub(crate) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, WebhookId),
    new: &NewWebhook,
    sealed_secret: &str,
    limit: u32,
) -> Result<Option<WebhookRow>, StoreError> {
    let NewWebhook { url, description, filter } = new;
    let now = write.now();
    let sql = concat!(
        "INSERT INTO operations.webhooks (org_id, id, url, description, filter, secret, state, version, created_at,
             updated_at)
         SELECT $1, $2, $3, $4, $5, $6, 'ACTIVE', 1, $7, $7
          WHERE (SELECT count(*) FROM operations.webhooks) < $8 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(url.as_str())
        .bind(description)
        .bind(Json(filter))
        .bind(sealed_secret)
        .bind(now)
        .bind(i64::from(limit));
    write.fetch_optional("webhooks.insert", query).await
}

/// Gives it a turn at being sent for; `due_at` is set when there is something to send.
pub(crate) async fn insert_dispatch_in_tx(
    write: &mut Write,
    (org, id): (OrgId, WebhookId),
    host: &str,
    key: &KeyId,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO operations.dispatch (tenant, webhook, host, key_id) VALUES ($1, $2, $3, $4)",
    );
    let query = query.bind(org).bind(id).bind(host).bind(key.as_str());
    write.execute("dispatch.insert", query).await.map(drop)
}

/// The row, which no other write changes until this one ends.
pub(crate) async fn lock_in_tx(write: &mut Write, id: WebhookId) -> Result<Option<WebhookRow>, StoreError> {
    write.fetch_optional("webhooks.lock", sqlx::query_as(select!("id = $1 FOR UPDATE")).bind(id)).await
}

/// Keeps the row as it is in the history, without its secrets, before it changes.
pub(crate) async fn keep_in_tx(
    write: &mut Write,
    id: WebhookId,
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO operations.history (org_id, subject, id, version, value, at, actor)
         SELECT org_id, 'operations.webhook', id, version, to_jsonb(w) - '{org_id,secret,previous_secret}'::text[], $2, $3
           FROM operations.webhooks AS w WHERE id = $1",
    );
    let query = query.bind(id).bind(write.now()).bind(actor);
    write.execute("webhooks.keep", query).await.map(drop)
}

/// Writes what may change.
pub(crate) async fn update_in_tx(write: &mut Write, new: &WebhookRow) -> Result<WebhookRow, StoreError> {
    let sql = concat!(
        "UPDATE operations.webhooks
            SET url = $2, description = $3, filter = $4, version = version + 1, updated_at = $5
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(new.id)
        .bind(&new.url)
        .bind(&new.description)
        .bind(Json(&new.filter))
        .bind(write.now());
    write.fetch_one("webhooks.update", query).await
}

pub(crate) async fn move_dispatch_in_tx(
    write: &mut Write,
    id: WebhookId,
    host: &str,
) -> Result<(), StoreError> {
    let query = sqlx::query("UPDATE operations.dispatch SET host = $2 WHERE webhook = $1");
    write.execute("dispatch.move", query.bind(id).bind(host)).await.map(drop)
}

pub(crate) async fn delete_in_tx(write: &mut Write, id: WebhookId) -> Result<(), StoreError> {
    let turn = sqlx::query("DELETE FROM operations.dispatch WHERE webhook = $1").bind(id);
    write.execute("dispatch.delete", turn).await?;
    let query = sqlx::query("DELETE FROM operations.webhooks WHERE id = $1").bind(id);
    write.execute("webhooks.delete", query).await.map(drop)
}

/// The dispatch's key stays: the secret of before may be sealed with an older one.
pub(crate) async fn rotate_in_tx(
    write: &mut Write,
    id: WebhookId,
    sealed_secret: &str,
    until: DateTime<Utc>,
) -> Result<WebhookRow, StoreError> {
    let sql = concat!(
        "UPDATE operations.webhooks
            SET previous_secret = secret, previous_secret_until = $3, secret = $2, version = version + 1,
                updated_at = $4
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(sealed_secret).bind(until).bind(write.now());
    write.fetch_one("webhooks.rotate", query).await
}

pub(crate) async fn pause_in_tx(
    write: &mut Write,
    id: WebhookId,
    reason: PauseReason,
) -> Result<WebhookRow, StoreError> {
    let sql = concat!(
        "UPDATE operations.webhooks
            SET state = 'PAUSED', pause_reason = $2, paused_at = $3, version = version + 1, updated_at = $3
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(reason).bind(write.now());
    write.fetch_one("webhooks.pause", query).await
}

/// It begins anew: what failed before counts no more.
pub(crate) async fn resume_in_tx(write: &mut Write, id: WebhookId) -> Result<WebhookRow, StoreError> {
    let sql = concat!(
        "UPDATE operations.webhooks
            SET state = 'ACTIVE', pause_reason = NULL, paused_at = NULL, failing_since = NULL, failed_in_row = 0,
                version = version + 1, updated_at = $2
          WHERE id = $1 RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql).bind(id).bind(write.now());
    write.fetch_one("webhooks.resume", query).await
}
