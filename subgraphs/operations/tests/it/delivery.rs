//! What is sent, how it is signed, and that nothing is lost or sent as another thing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use pulse_store::EventKind;
use serde_json::json;
use sha2::Sha256;
use tokio::sync::Notify;

use crate::receiver::{Received, Reply};
use crate::stage::Stage;

/// Whether one of the signatures is of `secret`, as a receiver finds out.
pub(crate) fn is_signed(received: &Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let content = format!("{}.{}.{}", received.id(), received.header("webhook-timestamp"), received.body);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(content.as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    received.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

#[tokio::test]
async fn an_event_is_sent_once_signed_and_without_values_of_anybody() {
    let stage = Stage::new().await;
    let (webhook, secret) = stage.webhook_at(&stage.url("/in?from=pulse"), json!({})).await;
    stage.publish().await;
    stage.send().await;
    // That it was made is an event too.
    assert_eq!(stage.receiver.all().len(), 1);

    let key = stage.created().await;
    stage.send().await;
    let [received] = <[Received; 1]>::try_from(stage.receiver.all()).unwrap();
    assert!(is_signed(&received, &secret));
    assert_eq!(received.path, "/in?from=pulse");
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("host"), format!("hooks.test:{}", stage.receiver.port));
    assert_eq!(received.header("webhook-timestamp"), stage.time().timestamp().to_string());
    let data = json!({ "subject": "entities.entity", "key": key, "version": 3, "changed": ["name"],
        "attributes": { "type": "package" }, "cursor": null });
    let expected =
        json!({ "type": "entities.entity.created", "timestamp": "2026-03-15T12:00:00Z", "data": data });
    assert_eq!(received.json(), expected);

    let read = stage.read(&webhook).await;
    let delivery =
        &read["deliveries"]["nodes"].as_array().unwrap().iter().find(|node| node["payload"] == expected);
    let delivery = delivery.unwrap();
    assert_eq!(received.id(), format!("msg_{}", delivery["id"].as_str().unwrap()));
    assert_eq!((&delivery["status"], &delivery["lastStatusCode"]), (&json!("DELIVERED"), &json!(200)));
    assert_eq!(stage.dispatcher.drain().await.unwrap(), 0);
}

#[tokio::test]
async fn each_webhook_gets_what_its_filter_wants() {
    let stage = Stage::new().await;
    let filters = [
        json!({ "subjects": ["entities.entity"], "kinds": ["CREATED"] }),
        json!({ "attributes": [{ "name": "type", "value": "person" }] }),
        json!({ "subjects": ["vectors.*"] }),
    ];
    for (n, filter) in filters.into_iter().enumerate() {
        stage.webhook_at(&stage.url(&format!("/{n}")), filter).await;
    }
    stage.created().await;
    stage.happens(&stage.admin, EventKind::Updated, json!({ "type": "person" })).await;
    stage.happens(&stage.admin, EventKind::Updated, json!({ "type": "package" })).await;
    stage.send().await;
    let mut received: Vec<_> =
        stage.receiver.all().iter().map(|one| (one.path.clone(), one.json()["type"].clone())).collect();
    received.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [("/0", "entities.entity.created"), ("/1", "entities.entity.updated")];
    assert_eq!(received, expected.map(|(path, of)| (path.to_owned(), json!(of))));
}

#[tokio::test]
async fn events_of_another_tenant_are_not_sent_and_nobody_else_sees_what_was() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.happens(&stage.stranger, EventKind::Created, json!({ "type": "package" })).await;
    stage.send().await;
    assert!(stage.receiver.all().is_empty());

    stage.created().await;
    stage.send().await;
    let id = stage.delivery(&webhook).await["id"].clone();
    let read = "query ($input: ID!) { webhook(id: $input) { deliveries { totalCount } } }";
    assert_eq!(stage.data(&stage.stranger, read, json!(webhook)).await, json!(null));
    let replay =
        "mutation ($input: ReplayDeliveryInput!) { replayDelivery(input: $input) { delivery { id } } }";
    let (code, field, _) = stage.refusal(&stage.stranger, replay, json!({ "id": id })).await;
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.id"));
}

#[tokio::test]
async fn a_process_that_dies_after_sending_sends_it_again_under_the_same_id() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.receiver.answers(Reply::When(std::sync::Arc::new(Notify::new())));
    let dispatcher = std::sync::Arc::clone(&stage.dispatcher);
    let dying = tokio::spawn(async move { dispatcher.drain().await });
    let first = stage.receiver.next().await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());

    stage.receiver.answers_with(204);
    // Until its lease runs out it may still be at it.
    stage.send().await;
    assert!(stage.receiver.all().is_empty());
    stage.forward(std::time::Duration::from_mins(2));
    stage.send().await;
    let again = stage.receiver.all();
    assert_eq!(again.iter().map(Received::id).collect::<Vec<_>>(), [first.id()]);
    assert_eq!(again[0].body, first.body);
    let delivery = stage.delivery(&webhook).await;
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("DELIVERED"), &json!(1)));
}

#[tokio::test]
async fn the_old_secret_signs_too_until_its_time_is_over() {
    let stage = Stage::new().await;
    let (webhook, old) = stage.webhook().await;
    let rotate = "mutation ($input: RotateWebhookSecretInput!) {
        rotateWebhookSecret(input: $input) { signingSecret webhook { previousSecretUntil version } } }";
    let rotated = stage.data(&stage.admin, rotate, json!({ "id": webhook, "overlapHours": 2 })).await;
    let new = rotated["signingSecret"].as_str().unwrap();
    assert_ne!(new, old);
    assert_eq!(rotated["webhook"]["previousSecretUntil"], "2026-03-15T14:00:00+00:00");

    stage.created().await;
    stage.send().await;
    let both = stage.receiver.next().await;
    assert!(is_signed(&both, &old) && is_signed(&both, new));
    stage.forward(std::time::Duration::from_hours(2));
    stage.created().await;
    stage.send().await;
    let one = stage.receiver.next().await;
    assert!(!is_signed(&one, &old) && is_signed(&one, new));
    assert_eq!(stage.read(&webhook).await["previousSecretUntil"], json!(null));
}

#[tokio::test]
async fn a_test_event_is_sent_once_whatever_the_filter_says() {
    let stage = Stage::new().await;
    let (webhook, secret) = stage.webhook_at(&stage.url("/"), json!({ "subjects": ["nothing.ever"] })).await;
    let send =
        "mutation ($input: SendTestEventInput!) { sendTestEvent(input: $input) { delivery { id status } } }";
    let input = json!({ "webhookId": webhook, "idempotencyKey": "k" });
    let first = stage.data(&stage.admin, send, input.clone()).await;
    assert_eq!(first["delivery"]["status"], "PENDING");
    assert_eq!(stage.data(&stage.admin, send, input).await, first);
    stage.send().await;
    let [received] = <[Received; 1]>::try_from(stage.receiver.all()).unwrap();
    assert!(is_signed(&received, &secret));
    assert_eq!(received.json()["type"], "webhook.test");
    assert_eq!(stage.delivery(&webhook).await["status"], "DELIVERED");
}
