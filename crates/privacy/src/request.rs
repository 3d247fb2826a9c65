//! Requests and receipts as they are stored, and how they are told of.

use pulse_store::{Connection, StoreError};
use pulse_types::{OrgId, PrivacyRequestId, UserId};
use serde_json::{Value, json};
use sqlx::FromRow;

/// The subject of events that tell of a request that is due.
pub(crate) const REQUEST: &str = "platform.privacy_request";

/// The subject of events by which an owner says that it has done its share.
pub(crate) const RECEIPT: &str = "platform.privacy_receipt";

/// A request that runs, whose person is still known.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct Running {
    pub(crate) kind: String,
    pub(crate) person: UserId,
    pub(crate) tenant: Option<OrgId>,
}

/// The request, if there is still something to do about it.
pub(crate) async fn running(
    connection: &mut Connection,
    id: PrivacyRequestId,
) -> Result<Option<Running>, StoreError> {
    let find = sqlx::query_as(
        "SELECT kind, person, tenant FROM platform.privacy_requests
          WHERE id = $1 AND status = 'running' AND person IS NOT NULL",
    );
    connection.fetch_optional("privacy_requests.running", find.bind(id)).await
}

/// Tells of a request, or of a receipt.
pub(crate) async fn tell_in_tx(
    connection: &mut Connection,
    now: chrono::DateTime<chrono::Utc>,
    (subject, id): (&str, PrivacyRequestId),
    attributes: Value,
) -> Result<(), StoreError> {
    let tell = sqlx::query(
        "INSERT INTO platform.outbox (kind, subject, key, version, changed, attributes, at)
         VALUES ('created', $1, $2, 1, '{}', $3, $4)",
    );
    let tell = tell.bind(subject).bind(id).bind(attributes).bind(now);
    connection.execute("privacy.tell", tell).await.map(drop)
}

/// Has a job done about a request. One that waits or runs is enough.
pub(crate) async fn enqueue_in_tx(
    connection: &mut Connection,
    now: chrono::DateTime<chrono::Utc>,
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

/// Which request a job is about.
pub(crate) fn of_job(payload: &Value) -> Option<PrivacyRequestId> {
    payload.get("request")?.as_str()?.parse().ok()
}
