//! Sessions and writes against a real database.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod cached;
mod idempotency;
mod looks;
mod session;
mod write;

use std::sync::Arc;

use pulse_store::{AuditFact, Event, EventKind, PoolOptions, Session, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId};
use serde_json::json;
use uuid::Uuid;

/// A store over a database of its own.
pub(crate) struct Fixture {
    pub(crate) store: Store,
    pub(crate) database: TestDatabase,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let store = Store::new(database.options(), &PoolOptions::default(), Clock::system());
        Self { store, database }
    }

    /// A session of a new tenant.
    pub(crate) fn tenant(&self) -> Session {
        let now = self.store.clock().now();
        self.store.session(Arc::new(Caller::system(OrgId::new(now), RequestId::new(now))))
    }

    /// How many rows a table has, seen by a superuser.
    pub(crate) async fn count(&self, table: &'static str) -> i64 {
        let mut connection = self.database.connect().await.unwrap();
        let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap()
    }
}

pub(crate) fn fact() -> AuditFact {
    AuditFact { action: "thing:create", subject: "test.thing", key: None, version: None, items: 1 }
}

pub(crate) fn event(key: Uuid) -> Event {
    let attributes = json!({ "type": "thing" });
    Event {
        kind: EventKind::Created,
        subject: "test.thing",
        key,
        version: 1,
        changed: vec!["name", "type"],
        attributes,
        before: json!(null),
    }
}
