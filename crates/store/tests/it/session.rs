//! What a session sees, and as whom.

use std::sync::Arc;

use pulse_types::{Caller, Effect, Permission, Permissions, Resource, ResourceKind};
use sqlx::Connection as _;
use uuid::Uuid;

use crate::{Fixture, event, fact};

#[tokio::test]
async fn a_session_reads_as_the_app_role_with_its_tenant() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let query = sqlx::query_as(
        "SELECT current_user::text, current_setting('pulse.org_id'), current_setting('transaction_read_only')",
    );
    let seen: (String, String, String) = session.fetch_one("test.who", query).await.unwrap();
    assert_eq!(seen, ("pulse_app".to_owned(), session.caller().org.unwrap().to_string(), "on".to_owned()));
}

#[tokio::test]
async fn a_session_of_a_narrowed_caller_says_what_they_see() {
    let fixture = Fixture::new().await;
    let said = "SELECT current_user::text, current_setting('pulse.entity_reach', true), current_setting('pulse.entity_ids', true),
                       current_setting('pulse.collection_reach', true), current_setting('pulse.collection_ids', true)";
    let seen = async |caller: Caller| {
        let session = fixture.store.session(Arc::new(caller));
        let read: [String; 5] = session
            .fetch_one::<(String, Option<String>, Option<String>, Option<String>, Option<String>)>(
                "test.said",
                sqlx::query_as(said),
            )
            .await
            .map(|(role, entity, entities, collection, collections)| {
                [Some(role), entity, entities, collection, collections].map(Option::unwrap_or_default)
            })
            .unwrap();
        read
    };
    let plain = fixture.tenant().caller().clone();
    let [first, second] = [1, 2].map(Uuid::from_u128);
    let entity = |effect, id| (effect, Permission::ENTITY_READ, Resource::new(ResourceKind::ENTITY, id));
    let collection =
        (Effect::Allow, Permission::COLLECTION_READ, Resource::new(ResourceKind::COLLECTION, second));
    let with = |permissions: &Permissions, rights: Vec<_>| Caller {
        permissions: permissions.clone(),
        rights: rights.into(),
        ..plain.clone()
    };
    let (all, none) = (&plain.permissions, &Permissions::none());

    let denied = with(all, vec![entity(Effect::Deny, first), entity(Effect::Deny, second)]);
    let both = format!("{{{first},{second}}}");
    assert_eq!(seen(denied).await, ["pulse_narrowed", "but", &both, "all", "{}"]);
    let rights =
        vec![entity(Effect::Allow, first), entity(Effect::Allow, second), entity(Effect::Deny, second)];
    let one = format!("{{{first}}}");
    assert_eq!(seen(with(none, rights)).await, ["pulse_narrowed", "only", &one, "all", "{}"]);
    let two = format!("{{{second}}}");
    let rights = vec![entity(Effect::Deny, first), collection];
    assert_eq!(seen(with(none, rights)).await, ["pulse_narrowed", "only", "{}", "only", &two]);
    // What is allowed to who may all narrows nothing, and a connection carries nothing on.
    let others = [plain.clone(), with(all, vec![entity(Effect::Allow, first)])];
    for caller in others {
        assert_eq!(seen(caller).await, ["pulse_app", "", "", "", ""]);
    }
}

#[tokio::test]
async fn one_tenant_does_not_see_anothers_rows() {
    let fixture = Fixture::new().await;
    let (ours, theirs) = (fixture.tenant(), fixture.tenant());
    ours.write().await.unwrap().commit(fact()).await.unwrap();
    let count = || sqlx::query_as("SELECT count(*) FROM platform.audit");
    assert_eq!(ours.fetch_one::<(i64,)>("test.count", count()).await.unwrap(), (1,));
    assert_eq!(theirs.fetch_one::<(i64,)>("test.count", count()).await.unwrap(), (0,));
}

#[tokio::test]
async fn a_reused_connection_carries_no_tenant() {
    let fixture = Fixture::new().await;
    fixture.tenant().write().await.unwrap().commit(fact()).await.unwrap();
    let mut connection = fixture.database.connect().await.unwrap();
    let mut used = connection.begin().await.unwrap();
    sqlx::query("SELECT set_config('pulse.org_id', gen_random_uuid()::text, true)")
        .execute(&mut *used)
        .await
        .unwrap();
    used.commit().await.unwrap();
    sqlx::query("SET ROLE pulse_app").execute(&mut connection).await.unwrap();
    let setting: String = sqlx::query_scalar("SELECT current_setting('pulse.org_id', true)")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(setting, "", "the setting is left behind as the empty string");
    let rows: i64 =
        sqlx::query_scalar("SELECT count(*) FROM platform.audit").fetch_one(&mut connection).await.unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn reads_see_one_snapshot_until_the_sessions_own_write() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let again = fixture.store.session(std::sync::Arc::new(session.caller().clone()));
    let count = || sqlx::query_as::<_, (i64,)>("SELECT count(*) FROM platform.audit");
    assert_eq!(session.fetch_one("test.count", count()).await.unwrap(), (0,));
    again.write().await.unwrap().commit(fact()).await.unwrap();
    assert_eq!(session.fetch_one("test.count", count()).await.unwrap(), (0,));
    let mut write = session.write().await.unwrap();
    write.event(event(uuid::Uuid::nil()));
    write.commit(fact()).await.unwrap();
    assert_eq!(session.fetch_one("test.count", count()).await.unwrap(), (2,));
}

#[tokio::test]
async fn a_failed_read_does_not_spoil_the_next() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    assert!(session.fetch_one::<(i32,)>("test.bad", sqlx::query_as("SELECT 1 / 0")).await.is_err());
    assert_eq!(session.fetch_one::<(i32,)>("test.good", sqlx::query_as("SELECT 1")).await.unwrap(), (1,));
}

#[tokio::test]
async fn connections_that_the_server_has_cut_are_replaced() {
    let fixture = Fixture::new().await;
    let sessions: Vec<_> = (0..4).map(|_| fixture.tenant()).collect();
    for session in &sessions {
        session.fetch_one::<(i32,)>("test.open", sqlx::query_as("SELECT 1")).await.unwrap();
    }
    drop(sessions);
    let mut connection = fixture.database.connect().await.unwrap();
    sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        .execute(&mut connection)
        .await
        .unwrap();
    let session = fixture.tenant();
    assert_eq!(session.fetch_one::<(i32,)>("test.after", sqlx::query_as("SELECT 1")).await.unwrap(), (1,));
}

#[tokio::test]
async fn statements_are_counted() {
    let fixture = Fixture::new().await;
    let session = fixture.tenant();
    let before = fixture.store.statistics().statements();
    for _ in 0..3 {
        session.fetch_one::<(i32,)>("test.one", sqlx::query_as("SELECT 1")).await.unwrap();
    }
    assert_eq!(fixture.store.statistics().statements() - before, 3);
}

#[tokio::test]
async fn a_transaction_that_is_given_up_while_it_begins_is_not_left_open() {
    let database = pulse_testkit::TestDatabase::new().await.unwrap();
    let options = pulse_store::PoolOptions { max_connections: 1, ..pulse_store::PoolOptions::default() };
    let store = pulse_store::Store::new(database.options(), &options, pulse_types::Clock::system());
    store.ping().await.unwrap();
    tokio::select! {
        biased;
        _ = store.system() => panic!("it takes a round trip"),
        () = std::future::ready(()) => {}
    }
    let mut other = database.connect().await.unwrap();
    let (now,): (chrono::DateTime<chrono::Utc>,) =
        sqlx::query_as("SELECT clock_timestamp()").fetch_one(&mut other).await.unwrap();
    let mut connection = store.system().await.unwrap();
    let fresh = sqlx::query_as("SELECT transaction_timestamp() > $1").bind(now);
    assert_eq!(connection.fetch_one::<(bool,)>("test.fresh", fresh).await.unwrap(), (true,));
}
