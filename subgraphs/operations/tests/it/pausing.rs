//! Pausing, resuming, and sending again what was held back.

use serde_json::{Value, json};

use crate::receiver::Received;
use crate::stage::Stage;

const PAUSE: &str =
    "mutation ($input: PauseWebhookInput!) { pauseWebhook(input: $input) { webhook { state pauseReason } } }";
const RESUME: &str = "mutation ($input: ResumeWebhookInput!) {
    resumeWebhook(input: $input) { webhook { state pauseReason failingSince } } }";
const REPLAY: &str = "mutation ($input: ReplayDeliveryInput!) {
    replayDelivery(input: $input) { delivery { status attempts } } }";
const REPLAY_ALL: &str = "mutation ($input: ReplayDeliveriesInput!) {
    replayDeliveries(input: $input) { replayed nextSince } }";

fn ids(received: &[Received]) -> Vec<String> {
    let mut ids: Vec<_> = received.iter().map(|one| one.id().to_owned()).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn what_happens_during_a_pause_is_held_and_sent_by_a_replay() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    // One waits when the pause comes, one happens during it.
    stage.created().await;
    let paused = stage.data(&stage.admin, PAUSE, json!({ "id": webhook })).await;
    assert_eq!(paused["webhook"], json!({ "state": "PAUSED", "pauseReason": "REQUESTED" }));
    stage.created().await;
    stage.send().await;
    assert!(stage.receiver.all().is_empty());
    let read = stage.read(&webhook).await;
    let statuses: Vec<_> =
        read["deliveries"]["nodes"].as_array().unwrap().iter().map(|node| &node["status"]).collect();
    assert_eq!(statuses, ["HELD", "HELD"]);
    let since = json!({ "webhookId": webhook, "since": "2026-03-15T11:00:00Z" });
    let (code, _, text) = stage.refusal(&stage.admin, REPLAY_ALL, since.clone()).await;
    assert_eq!((code.as_str(), text.contains("resume it first")), ("CONFLICT", true));

    let resumed = stage.data(&stage.admin, RESUME, json!({ "id": webhook })).await;
    assert_eq!(resumed["webhook"], json!({ "state": "ACTIVE", "pauseReason": null, "failingSince": null }));
    stage.created().await;
    stage.send().await;
    assert_eq!(stage.receiver.all().len(), 1);
    let replayed = stage.data(&stage.admin, REPLAY_ALL, since.clone()).await;
    assert_eq!(replayed, json!({ "replayed": 2, "nextSince": null }));
    stage.send().await;
    assert_eq!(stage.receiver.all().len(), 2);
    assert_eq!(stage.data(&stage.admin, REPLAY_ALL, since).await["replayed"], 0);
    let later = json!({ "webhookId": webhook, "since": "2026-03-15T13:00:00Z", "includeDelivered": true });
    assert_eq!(stage.data(&stage.admin, REPLAY_ALL, later).await["replayed"], 0);
}

#[tokio::test]
async fn a_replayed_delivery_has_the_same_id_and_all_attempts_before_it() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.receiver.answers_with(410);
    stage.created().await;
    stage.send().await;
    let first = ids(&stage.receiver.all());
    let id = stage.delivery(&webhook).await["id"].clone();
    stage.data(&stage.admin, RESUME, json!({ "id": webhook })).await;
    stage.receiver.answers_with(200);
    let replayed = stage.data(&stage.admin, REPLAY, json!({ "id": id })).await;
    assert_eq!(replayed["delivery"], json!({ "status": "PENDING", "attempts": 0 }));
    stage.send().await;
    assert_eq!(ids(&stage.receiver.all()), first);
    assert_eq!(stage.delivery(&webhook).await["status"], "DELIVERED");
    // What was delivered may be lost there, and comes again when it is asked for.
    let all = json!({ "webhookId": webhook, "since": "2026-03-15T12:00:00Z", "includeDelivered": true });
    assert_eq!(stage.data(&stage.admin, REPLAY_ALL, all).await["replayed"], 1);
    stage.send().await;
    assert_eq!(ids(&stage.receiver.all()), first);
}

#[tokio::test]
async fn a_pause_during_a_request_holds_what_then_fails_and_keeps_what_succeeds() {
    let stage = Stage::new().await;
    for (status, expected) in [(200, "DELIVERED"), (500, "HELD")] {
        let (webhook, _) = stage.webhook().await;
        stage.created().await;
        let told = std::sync::Arc::new(tokio::sync::Notify::new());
        if status == 200 {
            stage.receiver.answers(crate::receiver::Reply::When(std::sync::Arc::clone(&told)));
        } else {
            stage.receiver.answers(crate::receiver::Reply::ThenFail(std::sync::Arc::clone(&told)));
        }
        let dispatcher = std::sync::Arc::clone(&stage.dispatcher);
        let sending = tokio::spawn(async move { dispatcher.drain().await });
        stage.receiver.next().await;
        stage.data(&stage.admin, PAUSE, json!({ "id": webhook })).await;
        told.notify_one();
        sending.await.unwrap().unwrap();
        assert_eq!(stage.delivery(&webhook).await["status"], expected);
    }
}

#[tokio::test]
async fn deliveries_are_forgotten_when_their_time_has_come() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.send().await;
    stage.forward(std::time::Duration::from_hours(30 * 24 + 1));
    stage.created().await;
    stage.send().await;
    stage.dispatcher.forget().await.unwrap();
    let read: Value = stage.read(&webhook).await;
    assert_eq!(read["deliveries"]["totalCount"], 1);
}
