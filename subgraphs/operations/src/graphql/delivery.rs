//! `WebhookDelivery`.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error, JsonObject};
use pulse_types::{DeliveryId, WebhookId};

use super::webhook::Webhook;
use crate::delivery::{self, DeliveryError, DeliveryRow, DeliveryStatus, Replay};

/// One event for one webhook, and what became of it.
#[derive(SimpleObject)]
pub(crate) struct WebhookDelivery {
    /// Its id. The header `webhook-id` of every request for it is `msg_` and this id.
    id: DeliveryId,
    /// The type of the event: its subject and kind, such as `entities.entity.created`, or `webhook.test`.
    event_type: String,
    /// What is sent as the body of each request.
    payload: JsonObject,
    /// What became of it.
    status: DeliveryStatus,
    /// How often it was sent since it was made or last replayed.
    attempts: i32,
    /// When it is sent next; null unless it is PENDING.
    next_attempt_at: Option<DateTime<Utc>>,
    /// When it was last sent.
    last_attempt_at: Option<DateTime<Utc>>,
    /// The HTTP status of the last answer; null when none came.
    last_status_code: Option<i32>,
    /// How many milliseconds the last attempt took.
    last_duration_ms: Option<i32>,
    /// Why the last attempt failed.
    last_error: Option<String>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<DeliveryRow> for WebhookDelivery {
    fn from(row: DeliveryRow) -> Self {
        let DeliveryRow { id, event_type, body, status, attempts, next_attempt_at, .. } = row;
        Self {
            id,
            event_type,
            payload: JsonObject(serde_json::from_str(&body).unwrap_or_default()),
            status,
            attempts,
            next_attempt_at,
            last_attempt_at: row.last_attempt_at,
            last_status_code: row.last_status_code,
            last_duration_ms: row.last_duration_ms,
            last_error: row.last_error,
            created_at: row.created_at,
        }
    }
}

/// Where to send a test event.
#[derive(InputObject)]
pub(crate) struct SendTestEventInput {
    /// To which webhook.
    webhook_id: WebhookId,
    /// Makes the request safe to repeat: with the same key it is done once.
    idempotency_key: Option<String>,
}

/// A test event on its way.
#[derive(SimpleObject)]
pub(crate) struct SendTestEventPayload {
    /// What is sent; read it again to see what became of it.
    delivery: WebhookDelivery,
}

/// Which delivery to send again.
#[derive(InputObject)]
pub(crate) struct ReplayDeliveryInput {
    /// Which one.
    id: DeliveryId,
}

/// A delivery that is sent again.
#[derive(SimpleObject)]
pub(crate) struct ReplayDeliveryPayload {
    /// The delivery. Its receiver gets the same `webhook-id` as before.
    delivery: WebhookDelivery,
}

/// Which deliveries to send again.
#[derive(InputObject)]
pub(crate) struct ReplayDeliveriesInput {
    /// Of which webhook.
    webhook_id: WebhookId,
    /// Those that were made at this time or later, and FAILED or are HELD.
    since: DateTime<Utc>,
    /// Those too that were DELIVERED: for a receiver that has lost them.
    #[graphql(default = false)]
    include_delivered: bool,
}

/// Deliveries that are sent again.
#[derive(SimpleObject)]
pub(crate) struct ReplayDeliveriesPayload {
    /// Their webhook.
    webhook: Webhook,
    /// How many they are, 10,000 at most.
    replayed: i32,
    /// When there may be more: send the request again with this time as `since`. Null when there are none.
    next_since: Option<DateTime<Utc>>,
}

/// Mutations of deliveries.
#[derive(Default)]
pub(crate) struct DeliveryMutation;

#[Object]
impl DeliveryMutation {
    /// Sends an event of the type `webhook.test`, whatever the webhook's filter says.
    async fn send_test_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to.")] input: SendTestEventInput,
    ) -> Result<SendTestEventPayload, Error<DeliveryError>> {
        let SendTestEventInput { webhook_id, idempotency_key } = input;
        let row = delivery::send_test(ctx.session(), webhook_id, idempotency_key).await?;
        Ok(SendTestEventPayload { delivery: row.into() })
    }

    /// Sends one delivery again, whatever became of it, with as many attempts as a new one has.
    async fn replay_delivery(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: ReplayDeliveryInput,
    ) -> Result<ReplayDeliveryPayload, Error<DeliveryError>> {
        let row = delivery::replay(ctx.session(), input.id).await?;
        Ok(ReplayDeliveryPayload { delivery: row.into() })
    }

    /// Sends again what failed, and what was held back while the webhook was paused, since a time.
    async fn replay_deliveries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which ones.")] input: ReplayDeliveriesInput,
    ) -> Result<ReplayDeliveriesPayload, Error<DeliveryError>> {
        let ReplayDeliveriesInput { webhook_id, since, include_delivered } = input;
        let which = Replay { webhook: webhook_id, since, delivered_too: include_delivered };
        let (row, replayed, next_since) = delivery::replay_since(ctx.session(), which).await?;
        Ok(ReplayDeliveriesPayload { webhook: Webhook(row), replayed, next_since })
    }
}
