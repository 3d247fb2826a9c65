//! A database with facts in it.

use std::sync::Arc;

use chrono::TimeDelta;
use pulse_audit::{Chain, Fault, Report, verify};
use pulse_events::{GroupRunner, Sequencer, Step, Tail};
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, PoolOptions, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, Origin, ProcessId, RequestId, Secret, Subject, UserId};
use sqlx::{AssertSqlSafe, Executor};

pub(crate) struct Stage {
    pub(crate) database: TestDatabase,
    pub(crate) store: Store,
    pub(crate) sealer: Sealer,
    pub(crate) org: OrgId,
    tail: Tail,
}

pub(crate) fn sealer(byte: char, old: &[Secret]) -> Sealer {
    Sealer::try_new(&key(byte), old).unwrap()
}

/// A key that is one letter of base64 again and again.
pub(crate) fn key(byte: char) -> Secret {
    Secret::new(format!("{}=", byte.to_string().repeat(42) + "A"))
}

impl Stage {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let store = Store::new(database.options(), &PoolOptions::default(), Clock::system());
        let org = OrgId::new(store.clock().now());
        let (tail, _) = Tail::new(&store);
        Self { database, store, sealer: sealer('B', &[]), org, tail }
    }

    pub(crate) fn another_org(&self) -> OrgId {
        OrgId::new(self.store.clock().now())
    }

    /// Somebody does something, from somewhere.
    pub(crate) async fn act(&self, org: Option<OrgId>, action: &'static str) {
        let now = self.store.clock().now();
        let caller = Caller {
            subject: Subject::User(UserId::new(now)),
            org,
            origin: Some(Arc::new(Origin::new("192.0.2.7".parse().ok(), None))),
            ..Caller::anonymous(RequestId::new(now))
        };
        let write = self.store.session(Arc::new(caller)).write().await.unwrap();
        write
            .commit(AuditFact { action, subject: "test.thing", key: None, version: Some(2), items: 1 })
            .await
            .unwrap();
    }

    /// A process chains all that is committed, and ends.
    pub(crate) async fn chain(&self) {
        assert_eq!(self.chain_with(&self.sealer).await, Step::Idle);
    }

    pub(crate) async fn chain_with(&self, sealer: &Sealer) -> Step {
        while Sequencer::new(self.store.clone()).step().await.unwrap() > 0 {}
        // Some time later each time, so that the group is this process's to take.
        let now = self.store.clock().now() + TimeDelta::hours(1);
        let consumer = Arc::new(Chain::new(sealer.clone()));
        let me = ProcessId::new(now);
        let mut runner = GroupRunner::new(self.store.clone(), self.tail.clone(), consumer, me);
        self.execute("UPDATE platform.consumers SET holder = NULL, lease_until = NULL").await;
        loop {
            match runner.step().await.unwrap() {
                Step::Handled(_) => {}
                other => return other,
            }
        }
    }

    /// Changes what is stored, past all rights; `@n` stands for the fact of the organization's n-th link.
    pub(crate) async fn change(&self, sql: &str) {
        let mut sql = sql.replace("@org", &format!("'{}'", self.org));
        for nth in 1..=4 {
            let fact = format!(
                "(SELECT fact FROM platform.audit_chain WHERE tenant = '{}' AND nth = {nth})",
                self.org
            );
            sql = sql.replace(&format!("@{nth}"), &fact);
        }
        self.execute(&sql).await;
    }

    async fn execute(&self, sql: &str) {
        let mut connection = self.database.connect().await.unwrap();
        connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    }

    pub(crate) async fn verified(&self) -> Report {
        verify(&self.store, &self.sealer, None, |_| {}).await.unwrap()
    }

    /// The link and what is wrong with it.
    pub(crate) async fn fault(&self) -> Option<(Option<i64>, Fault)> {
        self.verified().await.broken.map(|broken| {
            assert_eq!(broken.tenant, self.org.uuid(), "{broken}");
            (broken.nth, broken.fault)
        })
    }

    pub(crate) async fn addresses(&self) -> Vec<Option<String>> {
        let mut connection = self.database.connect().await.unwrap();
        sqlx::query_scalar("SELECT address FROM platform.audit").fetch_all(&mut connection).await.unwrap()
    }
}
