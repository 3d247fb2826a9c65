//! All or none.

use std::time::Duration;

use pulse_store::{NewJob, StoreError};
use serde_json::json;
use uuid::Uuid;

use crate::{Fixture, event, fact};

fn job(unique_key: Option<&str>) -> NewJob {
    NewJob {
        kind: "test.job",
        payload: json!({ "n": 1 }),
        priority: 0,
        max_attempts: 3,
        delay: Duration::ZERO,
        unique_key: unique_key.map(str::to_owned),
    }
}

#[tokio::test]
async fn event_audit_and_job_are_committed_together() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let mut write = session.write().await.unwrap();
    write.event(event(Uuid::nil()));
    write.enqueue(job(None));
    write.commit(fact()).await.unwrap();

    let mut connection = fixture.database.connect().await.unwrap();
    let outbox: (Option<Uuid>, String, Vec<String>, serde_json::Value) = sqlx::query_as(
        "SELECT tenant, subject, changed, attributes FROM platform.outbox ORDER BY id LIMIT 1",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    let tenant = session.caller().org.unwrap();
    let changed = vec!["name".to_owned(), "type".to_owned()];
    assert_eq!(outbox, (Some(tenant.uuid()), "test.thing".to_owned(), changed, json!({ "type": "thing" })));
    let audit: (Uuid, String, i32, Uuid) =
        sqlx::query_as("SELECT org_id, action, items, request FROM platform.audit")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    assert_eq!(audit, (tenant.uuid(), "thing:create".to_owned(), 1, session.caller().request.uuid()));
    assert_eq!(fixture.count("platform.jobs").await, 1);
}

#[tokio::test]
async fn a_dropped_write_leaves_nothing() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let mut write = session.write().await.unwrap();
    write.event(event(Uuid::nil()));
    write.enqueue(job(None));
    drop(write);
    for table in ["platform.outbox", "platform.audit", "platform.jobs"] {
        assert_eq!(fixture.count(table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn a_failed_statement_leaves_nothing_and_names_its_constraint() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let mut write = session.write().await.unwrap();
    write.event(event(Uuid::nil()));
    let bad = sqlx::query(
        "INSERT INTO platform.audit (org_id, id, at, action, subject, items, request) VALUES ($1, $1, now(), '', '', 1, $1), ($1, $1, now(), '', '', 1, $1)",
    );
    let error = write.execute("test.bad", bad.bind(session.caller().org.unwrap())).await.unwrap_err();
    assert!(matches!(error, StoreError::Duplicate { statement: "test.bad", .. }), "{error}");
    drop(write);
    assert_eq!(fixture.count("platform.outbox").await, 0);
}

#[tokio::test]
async fn a_job_with_a_key_that_waits_already_is_not_enqueued_again() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    for _ in 0..2 {
        let mut write = session.write().await.unwrap();
        write.enqueue(job(Some("one")));
        write.commit(fact()).await.unwrap();
    }
    assert_eq!(fixture.count("platform.jobs").await, 1);
    let mut write = fixture.tenant().write().await.unwrap();
    write.enqueue(job(Some("one")));
    write.commit(fact()).await.unwrap();
    assert_eq!(fixture.count("platform.jobs").await, 2, "another tenant's key is another key");
}

#[tokio::test]
async fn a_write_cannot_append_for_another_tenant() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let mut write = session.write().await.unwrap();
    let foreign = sqlx::query(
        "INSERT INTO platform.outbox (tenant, kind, subject, key, version, changed, attributes, at) VALUES (gen_random_uuid(), 'created', 'x', gen_random_uuid(), 1, '{}', '{}', now())",
    );
    assert!(write.execute("test.foreign", foreign).await.is_err());
    drop(write);
    assert_eq!(fixture.count("platform.outbox").await, 0);
}
