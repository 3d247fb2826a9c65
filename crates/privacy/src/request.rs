//! Requests and receipts as they are stored, and how they are told of.

use chrono::{DateTime, Utc};
use pulse_jobs::{Job, JobContext, JobError};
use pulse_store::{Connection, StoreError};
use pulse_types::{OrgId, PrivacyRequestId, UserId};
use serde_json::{Value, json};
use sqlx::FromRow;
use uuid::Uuid;

/// The subject of events that tell of a request that is due.
pub(crate) const REQUEST: &str = "platform.privacy_request";

/// The subject of events by which an owner says that it has done its share.
pub(crate) const RECEIPT: &str = "platform.privacy_receipt";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub(crate) enum Asked {
    /// A file with what is stored about somebody.
    Export,
    /// That nothing is stored about somebody any more.
    Erase,
    /// That a tenant has nothing that is about somebody any more.
    Anonymize,
}

/// A request that runs, whose person is still known.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Running {
    pub(crate) kind: Asked,
    pub(crate) person: UserId,
    pub(crate) tenant: Option<OrgId>,
}

/// The request that a job is about, and a connection to work on it with; `None` if there is nothing left to do about it.
pub(crate) async fn taken(
    job: &Job,
    context: &JobContext,
) -> Result<Option<(Connection, PrivacyRequestId, Running)>, JobError> {
    let id = job.payload.get("request").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let id: PrivacyRequestId = id.ok_or_else(|| JobError::Fatal("it names no request".to_owned()))?;
    let mut connection = context.store().privacy().await?;
    let find = sqlx::query_as(
        "SELECT kind, person, tenant FROM platform.privacy_requests
          WHERE id = $1 AND status = 'running' AND person IS NOT NULL",
    );
    let running = connection.fetch_optional("privacy_requests.running", find.bind(id)).await?;
    Ok(running.map(|running| (connection, id, running)))
}

/// An event of no tenant.
pub(crate) struct Told<'a> {
    /// `created` or `deleted`.
    pub(crate) kind: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) key: Uuid,
    pub(crate) version: i64,
    pub(crate) attributes: Value,
}

/// Tells the log.
pub(crate) async fn tell_in_tx(
    connection: &mut Connection,
    now: DateTime<Utc>,
    Told { kind, subject, key, version, attributes }: Told<'_>,
) -> Result<(), StoreError> {
    let tell = sqlx::query(
        "INSERT INTO platform.outbox (kind, subject, key, version, changed, attributes, at)
         VALUES ($1, $2, $3, $4, '{}', $5, $6)",
    );
    let tell = tell.bind(kind).bind(subject).bind(key).bind(version).bind(attributes).bind(now);
    connection.execute("privacy.tell", tell).await.map(drop)
}

/// Tells of a request that is due, or of a receipt for one.
pub(crate) async fn tell_of_in_tx(
    connection: &mut Connection,
    now: DateTime<Utc>,
    (subject, id): (&str, PrivacyRequestId),
    attributes: Value,
) -> Result<(), StoreError> {
    let told = Told { kind: "created", subject, key: id.uuid(), version: 1, attributes };
    tell_in_tx(connection, now, told).await
}

/// Writes down that an owner has done its share. Once is enough.
pub(crate) async fn note_receipt_in_tx(
    connection: &mut Connection,
    now: DateTime<Utc>,
    (id, owner): (PrivacyRequestId, &str),
    items: i64,
) -> Result<(), StoreError> {
    let note = sqlx::query(
        "INSERT INTO platform.privacy_receipts (request, owner, items, at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    );
    let note = note.bind(id).bind(owner).bind(items).bind(now);
    connection.execute("privacy_receipts.note", note).await.map(drop)
}

/// Has a job done about a request. One that waits or runs is enough.
pub(crate) async fn enqueue_in_tx(
    connection: &mut Connection,
    now: DateTime<Utc>,
    kind: &str,
    id: PrivacyRequestId,
) -> Result<(), StoreError> {
    let enqueue = sqlx::query(
        "INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, ready, unique_key, created_at)
         VALUES ($1, $2, $3, 0, 10, $4, true, $5, $4) ON CONFLICT DO NOTHING",
    );
    let enqueue = enqueue
        .bind(pulse_types::JobId::new(now))
        .bind(kind)
        .bind(json!({ "request": id }))
        .bind(now)
        .bind(id.to_string());
    connection.execute("privacy.enqueue", enqueue).await.map(drop)
}
