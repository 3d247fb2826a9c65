//! Deliveries: what was and is to be sent to webhooks, and sending it again.

mod entity;
mod error;
pub(crate) mod repo;

use chrono::{DateTime, Utc};
use pulse_graphql::Error;
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, Write};
use pulse_types::{DeliveryId, Permission, WebhookId};
use serde_json::json;

pub(crate) use entity::{DeliveryRow, DeliveryStatus};
pub(crate) use error::DeliveryError;

use crate::dispatch::{payload, repo::due_now};
use crate::webhook::{self, WebhookRow, WebhookState};

/// Its events say that somebody asked for something to be sent; their key is the webhook.
pub(crate) const SUBJECT: &str = "operations.deliveries";

/// So many are replayed by one request.
const REPLAYED_AT_ONCE: i64 = 10_000;

/// Which of a webhook's deliveries are sent again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replay {
    pub(crate) webhook: WebhookId,
    pub(crate) since: DateTime<Utc>,
    /// Those too that were delivered.
    pub(crate) delivered_too: bool,
}

/// Sends an event that nothing happened for.
pub(crate) async fn send_test(
    session: &Session,
    webhook: WebhookId,
    key: Option<String>,
) -> Result<DeliveryRow, Error<DeliveryError>> {
    let org = session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(DeliveryError::from)?;
    let mut write = match session.write_once("operations.sendTestEvent", key.as_ref(), &webhook).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let id: DeliveryId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
            return Ok(repo::find(session, id).await?.ok_or(DeliveryError::NotFound(id))?);
        }
    };
    let row = active_in_tx(&mut write, webhook).await?;
    let (id, now) = (DeliveryId::new(write.now()), write.now());
    let body = payload::of_test(webhook, row.version, now);
    let delivery = repo::insert_test_in_tx(&mut write, (org, id), webhook, &body).await?;
    due_now(&mut write, &[webhook], now).await?;
    write.event(event(&row));
    write.commit_with(fact("webhook:send_test", &row, 1), &json!({ "id": id })).await?;
    Ok(delivery)
}

/// Sends one delivery again, whatever became of it.
pub(crate) async fn replay(session: &Session, id: DeliveryId) -> Result<DeliveryRow, Error<DeliveryError>> {
    session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let webhook = repo::webhook_of(session, id).await?.ok_or(DeliveryError::NotFound(id))?;
    let mut write = session.write().await?;
    let row = match active_in_tx(&mut write, webhook).await {
        // Its webhook was deleted.
        Err(Error::Client(DeliveryError::NoWebhook(_))) => return Err(DeliveryError::NotFound(id).into()),
        row => row?,
    };
    let delivery = repo::replay_in_tx(&mut write, id).await?.ok_or(DeliveryError::NotFound(id))?;
    let now = write.now();
    due_now(&mut write, &[webhook], now).await?;
    write.event(event(&row));
    write.commit(fact("webhook:replay", &row, 1)).await?;
    Ok(delivery)
}

/// Sends again what failed or was held back since a time; how many, and from when on there may be more.
pub(crate) async fn replay_since(
    session: &Session,
    which: Replay,
) -> Result<(WebhookRow, i32, Option<DateTime<Utc>>), Error<DeliveryError>> {
    session.caller().require(&Permission::WEBHOOK_MANAGE)?;
    let mut write = session.write().await?;
    let row = active_in_tx(&mut write, which.webhook).await?;
    let (replayed, last) = repo::replay_since_in_tx(&mut write, which, REPLAYED_AT_ONCE).await?;
    if replayed == 0 {
        return Ok((row, 0, None));
    }
    let now = write.now();
    due_now(&mut write, &[which.webhook], now).await?;
    write.event(event(&row));
    let items = i32::try_from(replayed).unwrap_or(i32::MAX);
    write.commit(fact("webhook:replay", &row, items)).await?;
    Ok((row, items, last.filter(|_| replayed == REPLAYED_AT_ONCE)))
}

/// The webhook, which nobody pauses until this write ends.
async fn active_in_tx(write: &mut Write, id: WebhookId) -> Result<WebhookRow, Error<DeliveryError>> {
    let row = webhook::repo::lock_in_tx(write, id).await?.ok_or(DeliveryError::NoWebhook(id))?;
    match row.state {
        WebhookState::Active => Ok(row),
        WebhookState::Paused => Err(DeliveryError::Paused(id).into()),
    }
}

fn event(row: &WebhookRow) -> Event {
    Event {
        kind: EventKind::Updated,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed: vec!["deliveries"],
        attributes: json!({}),
        before: json!(null),
    }
}

fn fact(action: &'static str, row: &WebhookRow, items: i32) -> AuditFact {
    AuditFact { items, ..webhook::fact(action, row) }
}
