//! The same request twice is one write.

use pulse_store::{Begun, IdempotencyKey, InvalidIdempotencyKey, Session, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{Fixture, event, fact};

/// Does the write `request` under `key`, and says whether it was new.
async fn create(session: &Session, key: &str, request: &Value) -> Result<(bool, Value), StoreError> {
    let key = IdempotencyKey::try_new(key.to_owned()).unwrap();
    match session.write_once("test.create", Some(&key), request).await? {
        Begun::Repeated(response) => Ok((false, response)),
        Begun::New(mut write) => {
            write.event(event(Uuid::nil()));
            let response = json!({ "id": 7 });
            write.commit_with(fact(), &response).await?;
            Ok((true, response))
        }
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_answer_and_does_nothing() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let request = json!({ "name": "a" });
    assert_eq!(create(&session, "k", &request).await.unwrap(), (true, json!({ "id": 7 })));
    assert_eq!(create(&session, "k", &request).await.unwrap(), (false, json!({ "id": 7 })));
    assert_eq!(fixture.count("platform.outbox").await, 1);
}

#[tokio::test]
async fn a_key_is_refused_for_another_request_and_free_for_another_tenant() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    create(&session, "k", &json!(1)).await.unwrap();
    assert!(matches!(create(&session, "k", &json!(2)).await, Err(StoreError::KeyReused)));
    assert!(create(&fixture.tenant(), "k", &json!(2)).await.unwrap().0);
}

#[tokio::test]
async fn of_many_at_once_one_writes() {
    let fixture = Fixture::new().await;
    let now = fixture.store.clock().now();
    let caller = std::sync::Arc::new(pulse_types::Caller::system(
        pulse_types::OrgId::new(now),
        pulse_types::RequestId::new(now),
    ));
    let attempts = (0..8).map(|_| {
        let session = fixture.store.session(std::sync::Arc::clone(&caller));
        async move { create(&session, "k", &json!(1)).await.unwrap().0 }
    });
    let news = futures::future::join_all(attempts).await;
    assert_eq!(news.iter().filter(|new| **new).count(), 1);
    assert_eq!(fixture.count("platform.outbox").await, 1);
}

#[tokio::test]
async fn an_abandoned_attempt_does_not_use_up_the_key() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let key = IdempotencyKey::try_new("k".to_owned()).unwrap();
    drop(session.write_once("test.create", Some(&key), &json!(1)).await.unwrap());
    assert!(create(&session, "k", &json!(1)).await.unwrap().0);
}

#[test]
fn keys_have_1_to_255_characters() {
    assert_eq!(IdempotencyKey::try_new(String::new()), Err(InvalidIdempotencyKey(0)));
    assert_eq!(IdempotencyKey::try_new("k".repeat(256)), Err(InvalidIdempotencyKey(256)));
    assert!(IdempotencyKey::try_new("k".repeat(255)).is_ok());
}
