//! What is sent: ids and routing attributes, never values of persons.

use chrono::{DateTime, Utc};
use pulse_types::{Change, WebhookId};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

/// The type of a test event.
pub(crate) const TEST: &str = "webhook.test";

/// A body, as the Standard Webhooks specification has it.
#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'a str,
    timestamp: DateTime<Utc>,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    subject: &'a str,
    key: Uuid,
    version: i64,
    changed: &'a [String],
    attributes: &'a Map<String, Value>,
    /// The event's place in the log: whoever wants what came after it subscribes behind it.
    cursor: Option<String>,
}

/// The type of a change, such as `entities.entity.created`.
pub(crate) fn event_type(change: &Change) -> String {
    format!("{}.{}", change.subject, change.kind.as_str())
}

/// The body for a change.
pub(crate) fn of_change(change: &Change, cursor: Option<String>) -> String {
    let Change { subject, key, version, changed, attributes, at, .. } = change;
    let data = Data { subject, key: *key, version: *version, changed, attributes, cursor };
    text(&Payload { r#type: &event_type(change), timestamp: *at, data })
}

/// The body of a test event.
pub(crate) fn of_test(webhook: WebhookId, version: i64, now: DateTime<Utc>) -> String {
    let (key, attributes) = (webhook.uuid(), Map::new());
    let data = Data {
        subject: "operations.webhook",
        key,
        version,
        changed: &[],
        attributes: &attributes,
        cursor: None,
    };
    text(&Payload { r#type: TEST, timestamp: now, data })
}

fn text(payload: &Payload<'_>) -> String {
    serde_json::to_string(payload).expect("texts, numbers and maps of them serialize")
}
