//! Signing secrets at rest.

use pulse_operations::Resealer;
use serde_json::json;
use sqlx::AssertSqlSafe;

use crate::delivery::is_signed;
use crate::stage::{Stage, sealer};

const ROTATE: &str =
    "mutation ($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { signingSecret } }";

/// Everything that is stored of webhooks and their turns.
async fn dump(stage: &Stage) -> String {
    let sql = "SELECT string_agg(row, E'\\n') FROM (
                   SELECT w::text FROM operations.webhooks w UNION ALL SELECT h::text FROM operations.history h
                   UNION ALL SELECT d::text FROM operations.dispatch d UNION ALL SELECT o::text FROM platform.outbox o
               ) AS stored (row)";
    sqlx::query_scalar(sql).fetch_one(&mut stage.database.connect().await.unwrap()).await.unwrap()
}

/// Stores secrets as versions before did.
async fn store_plain(stage: &Stage, secret: &str, previous: &str) {
    let sql = format!(
        "UPDATE operations.webhooks SET secret = '{secret}', previous_secret = '{previous}',
                previous_secret_until = now() + interval '1000 days';
         UPDATE operations.dispatch SET key_id = NULL"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut stage.database.connect().await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_dump_of_the_tables_holds_no_secret() {
    let stage = Stage::new().await;
    let (id, first) = stage.webhook().await;
    let rotated = stage.data(&stage.admin, ROTATE, json!({ "id": id })).await;
    let second = rotated["signingSecret"].as_str().unwrap();
    let dump = dump(&stage).await;
    assert!(dump.contains(&id) && dump.contains("sealed.1."), "{dump}");
    for secret in [first.as_str(), second] {
        assert!(!dump.contains(secret.strip_prefix("whsec_").unwrap()), "{dump}");
    }
    stage.created().await;
    stage.send().await;
    let received = stage.receiver.next().await;
    assert!(is_signed(&received, &first) && is_signed(&received, second));
}

#[tokio::test]
async fn what_was_stored_in_plain_signs_and_is_sealed() {
    let stage = Stage::new().await;
    let (_, first) = stage.webhook().await;
    let (_, second) = stage.webhook().await;
    store_plain(&stage, &first, &second).await;
    assert!(dump(&stage).await.contains(&first));
    stage.created().await;
    stage.send().await;
    assert!(is_signed(&stage.receiver.next().await, &first));

    let resealer = Resealer::new(stage.store().clone(), sealer(1, &[]));
    assert_eq!(resealer.reseal().await.unwrap(), 0);
    let sealed = dump(&stage).await;
    assert!(!sealed.contains("whsec_"), "{sealed}");
    stage.created().await;
    stage.send().await;
    let received = stage.receiver.all().pop().unwrap();
    assert!(is_signed(&received, &first) && is_signed(&received, &second));
    // What is sealed already is left as it is.
    assert_eq!(resealer.reseal().await.unwrap(), 0);
    let same = dump(&stage).await;
    assert_eq!(secrets(&same), secrets(&sealed));
}

fn secrets(dump: &str) -> Vec<&str> {
    let mut found: Vec<_> = dump.split(',').filter(|value| value.starts_with("sealed.")).collect();
    found.sort_unstable();
    found
}

#[tokio::test]
async fn a_new_key_seals_anew_what_the_old_one_sealed() {
    let stage = Stage::new().await;
    let (_, secret) = stage.webhook().await;
    let resealer = Resealer::new(stage.store().clone(), sealer(2, &[1]));
    assert_eq!(resealer.reseal().await.unwrap(), 0);
    stage.created().await;
    // The old key is not needed any more.
    stage.send_with(sealer(2, &[])).await;
    assert!(is_signed(&stage.receiver.next().await, &secret));
}

#[tokio::test]
async fn without_its_key_nothing_is_sent_and_the_delivery_says_why() {
    let stage = Stage::new().await;
    let (id, secret) = stage.webhook().await;
    stage.created().await;
    stage.send_with(sealer(2, &[])).await;
    assert!(stage.receiver.all().is_empty());
    let delivery = stage.delivery(&id).await;
    assert_eq!((&delivery["status"], &delivery["attempts"]), (&json!("PENDING"), &json!(1)));
    let expected = "the signing secret cannot be read with the encryption keys of this installation: tell its operator, or rotate it";
    assert_eq!(delivery["lastError"], expected);
    // It stays as it is, so that the right key can still open it.
    let resealer = Resealer::new(stage.store().clone(), sealer(2, &[]));
    assert_eq!(resealer.reseal().await.unwrap(), 1);
    stage.forward(std::time::Duration::from_mins(1));
    stage.send().await;
    assert!(is_signed(&stage.receiver.next().await, &secret));
}

#[tokio::test]
async fn a_secret_copied_to_another_webhook_opens_nothing() {
    let stage = Stage::new().await;
    stage.webhook().await;
    stage.webhook().await;
    let swap =
        "UPDATE operations.webhooks w SET secret = o.secret FROM operations.webhooks o WHERE o.id <> w.id";
    sqlx::query(swap).execute(&mut stage.database.connect().await.unwrap()).await.unwrap();
    stage.created().await;
    stage.send().await;
    assert!(stage.receiver.all().is_empty());
}
