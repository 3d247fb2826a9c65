//! The sequencer, the log, its followers and consumer groups against a real database.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod groups;
mod log;
mod property;
mod relay;
mod retention;
mod tail;
mod unheard;

use std::sync::Arc;

use pulse_events::Sequencer;
use pulse_store::{AuditFact, Event, EventKind, PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId};
use serde_json::json;
use uuid::Uuid;

fn store(database: &TestDatabase) -> Store {
    Store::new(database.options(), &PoolOptions::default(), Clock::system())
}

fn org(store: &Store) -> OrgId {
    OrgId::new(store.clock().now())
}

fn fact() -> AuditFact {
    AuditFact { action: "thing:write", subject: "test.thing", key: None, version: None, items: 1 }
}

/// Commits one event about `key`, or abandons it.
async fn write(store: &Store, org: OrgId, key: Uuid, version: i64, commit: bool) {
    let caller = Arc::new(Caller::system(org, RequestId::new(store.clock().now())));
    let mut write = store.session(caller).write().await.unwrap();
    write.event(Event {
        kind: EventKind::Updated,
        subject: "test.thing",
        key,
        version,
        changed: vec!["name"],
        attributes: json!({ "even": version % 2 == 0 }),
        before: json!(null),
    });
    if commit {
        write.commit(fact()).await.unwrap();
    }
}

/// Commits events about one key with versions 1 to `count`, and moves them to the log.
async fn written(store: &Store, org: OrgId, count: i64) {
    for version in 1..=count {
        write(store, org, Uuid::nil(), version, true).await;
    }
    drain(&mut Sequencer::new(store.clone())).await;
}

/// Moves until the outbox is empty.
async fn drain(sequencer: &mut Sequencer) {
    while sequencer.step().await.unwrap() > 0 {}
}
