//! What the audit keeps of privileged reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use pulse_store::{LOOKS_WINDOW, PoolOptions, Reading, Session, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, Clock, OrgId, RequestId, Subject, UserId};
use uuid::Uuid;

const READ: Reading = Reading { action: "thing:read", again: "thing:read_again", subject: "test.thing" };

/// A store whose time goes on when it is told to.
struct Stage {
    store: Store,
    database: TestDatabase,
    seconds: Arc<AtomicI64>,
    caller: Caller,
}

impl Stage {
    async fn new() -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (start, seconds) = (Clock::system().now(), Arc::new(AtomicI64::new(0)));
        let passed = Arc::clone(&seconds);
        let clock = Clock::from_fn(move || start + TimeDelta::seconds(passed.load(Ordering::Relaxed)));
        let store = Store::new(database.options(), &PoolOptions::default(), clock);
        let (org, user) = (OrgId::new(start), UserId::new(start));
        let caller = Caller { subject: Subject::User(user), ..Caller::system(org, RequestId::new(start)) };
        Self { store, database, seconds, caller }
    }

    /// A request of its own.
    fn request(&self) -> Session {
        let request = RequestId::new(self.store.clock().now());
        self.store.session(Arc::new(Caller { request, ..self.caller.clone() }))
    }

    async fn facts(&self) -> Vec<(String, i32)> {
        let mut connection = self.database.connect().await.unwrap();
        let sql = "SELECT action, items FROM platform.audit ORDER BY action, items";
        sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap()
    }
}

fn fact(action: &str, items: i32) -> (String, i32) {
    (action.to_owned(), items)
}

#[tokio::test]
async fn a_reader_who_comes_each_second_for_an_hour_leaves_a_dozen_facts() {
    let stage = Stage::new().await;
    for _ in 0..3_600 {
        let session = stage.request();
        session.look(READ.of(Uuid::nil()));
        session.write_down_looks().await.unwrap();
        let second = stage.seconds.fetch_add(1, Ordering::Relaxed);
        if second % 60 == 0 {
            stage.store.settle_looks(false).await;
        }
    }
    stage.store.settle_looks(true).await;
    let facts = stage.facts().await;
    let (first, again): (Vec<_>, Vec<_>) = facts.iter().partition(|(action, _)| action == "thing:read");
    assert_eq!((first.len(), again.len()), (6, 6), "{facts:?}");
    assert_eq!(
        first.len() + again.iter().map(|(_, times)| usize::try_from(*times).unwrap()).sum::<usize>(),
        3_600
    );
}

#[tokio::test]
async fn what_one_request_sees_twice_is_one_fact_and_others_are_others() {
    let stage = Stage::new().await;
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let session = stage.request();
    for key in [one, one, other] {
        session.look(READ.of(key));
    }
    session.look(READ.of_list(20));
    session.look(READ.of_list(5));
    session.write_down_looks().await.unwrap();
    let read = |items| fact("thing:read", items);
    assert_eq!(stage.facts().await, [read(1), read(1), read(25)]);
    // Somebody else, and the same person in another organization, are others.
    let now = stage.store.clock().now();
    for caller in [
        Caller { subject: Subject::User(UserId::new(now)), ..stage.caller.clone() },
        Caller { org: Some(OrgId::new(now)), ..stage.caller.clone() },
    ] {
        let session = stage.store.session(Arc::new(caller));
        session.look(READ.of(one));
        session.write_down_looks().await.unwrap();
    }
    assert_eq!(stage.facts().await.len(), 5);
}

#[tokio::test]
async fn counts_carry_the_last_request_and_survive_a_database_that_is_away() {
    let stage = Stage::new().await;
    for _ in 0..3 {
        let session = stage.request();
        session.look(READ.of_list(1));
        session.write_down_looks().await.unwrap();
    }
    let last = stage.request();
    last.look(READ.of_list(1));
    last.write_down_looks().await.unwrap();
    stage.seconds.fetch_add(LOOKS_WINDOW.num_seconds(), Ordering::Relaxed);
    let mut connection = stage.database.connect().await.unwrap();
    sqlx::query("ALTER TABLE platform.audit RENAME TO audit_away").execute(&mut connection).await.unwrap();
    stage.store.settle_looks(false).await;
    // Nobody is shown anything while the audit cannot know of it.
    let refused = stage.request();
    refused.look(READ.of_list(1));
    refused.write_down_looks().await.unwrap_err();
    sqlx::query("ALTER TABLE platform.audit_away RENAME TO audit").execute(&mut connection).await.unwrap();
    stage.store.settle_looks(false).await;
    assert_eq!(stage.facts().await, [fact("thing:read", 1), fact("thing:read_again", 3)]);
    let requests = "SELECT request FROM platform.audit WHERE action = 'thing:read_again'";
    let request: Uuid = sqlx::query_scalar(requests).fetch_one(&mut connection).await.unwrap();
    assert_eq!(request, last.caller().request.uuid());
}

#[tokio::test]
async fn what_pulse_reads_by_itself_is_nobodys_look() {
    let stage = Stage::new().await;
    let process = Caller { subject: Subject::System, ..stage.caller.clone() };
    let session = stage.store.session(Arc::new(process));
    session.look(READ.of(Uuid::nil()));
    session.write_down_looks().await.unwrap();
    assert_eq!(stage.facts().await, []);
}

#[tokio::test]
async fn who_was_erased_meanwhile_is_named_by_no_count() {
    let stage = Stage::new().await;
    for key in [1, 1, 2, 2, 2] {
        let session = stage.request();
        session.look(READ.of(Uuid::from_u128(key)));
        session.write_down_looks().await.unwrap();
    }
    let mut connection = stage.database.connect().await.unwrap();
    let erase = "UPDATE platform.audit SET key = NULL WHERE key = '00000000-0000-0000-0000-000000000001'";
    sqlx::query(erase).execute(&mut connection).await.unwrap();
    stage.store.settle_looks(true).await;
    assert_eq!(stage.facts().await[2..], [fact("thing:read_again", 2)]);
}
