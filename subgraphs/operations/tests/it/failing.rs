//! What becomes of deliveries that fail.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_operations::Pause;
use serde_json::{Value, json};

use crate::receiver::Reply;
use crate::stage::Stage;

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn it_is_tried_again_ever_later_for_a_day_and_then_given_up() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.receiver.answers_with(500);
    let began = stage.time();
    let pauses = [5, 300, 1800, 7200, 18_000, 28_800, 28_800].map(TimeDelta::seconds);
    let mut ids = Vec::new();
    for (attempt, pause) in pauses.into_iter().enumerate() {
        stage.send().await;
        ids.extend(stage.receiver.all().iter().map(|received| received.id().to_owned()));
        let delivery = stage.delivery(&webhook).await;
        assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("PENDING"), &json!(attempt + 1)));
        let wait = time(&delivery["nextAttemptAt"]) - stage.time();
        assert!(wait >= pause && wait <= pause * 6 / 5, "{attempt}: {wait}");
        // Not a moment before.
        stage.forward((wait - TimeDelta::milliseconds(1)).to_std().unwrap());
        stage.send().await;
        assert!(stage.receiver.all().is_empty());
        stage.forward(Duration::from_millis(1));
    }
    stage.send().await;
    ids.extend(stage.receiver.all().iter().map(|received| received.id().to_owned()));
    let delivery = stage.delivery(&webhook).await;
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("FAILED"), &json!(8)));
    assert_eq!(delivery["lastError"], "it answered 500: status 500");
    assert_eq!(delivery["nextAttemptAt"], json!(null));
    let took = stage.time() - began;
    assert!(took > TimeDelta::hours(23) && took < TimeDelta::hours(29), "{took}");
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(stage.read(&webhook).await["failedInRow"], 1);
}

#[tokio::test]
async fn a_good_attempt_makes_the_webhook_well() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.receiver.answers_with(503);
    stage.created().await;
    stage.send().await;
    assert_eq!(time(&stage.read(&webhook).await["failingSince"]), stage.time());
    stage.receiver.answers_with(202);
    stage.forward(Duration::from_secs(6));
    stage.send().await;
    assert_eq!(stage.read(&webhook).await["failingSince"], json!(null));
    let delivery = stage.delivery(&webhook).await;
    let row = (&delivery["status"], &delivery["lastStatusCode"], &delivery["lastError"]);
    assert_eq!(row, (&json!("DELIVERED"), &json!(202), &json!(null)));
}

#[tokio::test]
async fn a_receiver_that_is_too_slow_has_failed() {
    let stage = Stage::with(|config| config.timeout = Duration::from_millis(200)).await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.receiver.answers(Reply::When(std::sync::Arc::default()));
    stage.send().await;
    let delivery = stage.delivery(&webhook).await;
    assert_eq!((&delivery["status"], &delivery["lastStatusCode"]), (&json!("PENDING"), &json!(null)));
    assert_eq!(delivery["lastError"], "no answer within 200 ms");
}

#[tokio::test]
async fn of_an_answer_without_end_a_short_beginning_is_kept() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.receiver.answers(Reply::Endless);
    stage.send().await;
    let delivery = stage.delivery(&webhook).await;
    let error = delivery["lastError"].as_str().unwrap();
    assert!(error.starts_with("it answered 500: no end [31m of this no end"), "{error}");
    assert!(error.len() < 250 && !error.contains(char::is_control), "{error}");
}

#[tokio::test]
async fn a_receiver_that_is_gone_pauses_its_webhook_at_once() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.created().await;
    stage.receiver.answers_with(410);
    stage.send().await;
    let read = stage.read(&webhook).await;
    assert_eq!((&read["state"], &read["pauseReason"]), (&json!("PAUSED"), &json!("GONE")));
    assert_eq!(stage.delivery(&webhook).await["status"], "FAILED");
    // Others are told why.
    let sql = "SELECT attributes FROM platform.outbox WHERE subject = 'operations.webhook' ORDER BY id DESC LIMIT 1";
    let mut connection = stage.database.connect().await.unwrap();
    let attributes: Value = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    assert_eq!(attributes, json!({ "state": "PAUSED", "pauseReason": "GONE" }));
}

#[tokio::test]
async fn nothing_but_failures_for_days_pauses_the_webhook() {
    let stage = Stage::new().await;
    let (webhook, _) = stage.webhook().await;
    stage.receiver.answers_with(500);
    for day in 0..5 {
        stage.created().await;
        stage.send().await;
        assert_eq!(stage.read(&webhook).await["state"], "ACTIVE", "{day}");
        stage.forward(Duration::from_hours(24));
    }
    stage.send().await;
    let read = stage.read(&webhook).await;
    assert_eq!((&read["state"], &read["pauseReason"]), (&json!("PAUSED"), &json!("FAILING")));
    let waiting =
        read["deliveries"]["nodes"].as_array().unwrap().iter().filter(|node| node["status"] == "PENDING");
    assert_eq!(waiting.count(), 0);
}

#[tokio::test]
async fn so_many_failed_deliveries_in_a_row_pause_the_webhook() {
    let settings = |config: &mut pulse_operations::WebhookConfig| {
        config.retry_after = vec![Pause(Duration::from_secs(1))];
        config.pause_after_failures = 2;
    };
    let stage = Stage::with(settings).await;
    let (webhook, _) = stage.webhook().await;
    stage.receiver.answers_with(404);
    for expected in ["ACTIVE", "PAUSED"] {
        stage.created().await;
        stage.send().await;
        stage.forward(Duration::from_secs(2));
        stage.send().await;
        assert_eq!(stage.read(&webhook).await["state"], expected);
    }
}
