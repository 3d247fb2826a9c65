//! Who has written what a process has not heard of.

use std::collections::HashSet;
use std::sync::Arc;

use pulse_cache::{OwnWrites, Unheard};
use pulse_events::{Sequencer, WrittenElsewhere};
use pulse_store::{Event, EventKind, Store};
use pulse_testkit::TestDatabase;
use pulse_types::{Caller, OrgId, RequestId, Subject, UserId};
use serde_json::json;
use uuid::Uuid;

use crate::{drain, fact};

async fn write_as(store: &Store, org: OrgId, user: UserId) {
    let request = RequestId::new(store.clock().now());
    let caller = Caller { subject: Subject::User(user), ..Caller::system(org, request) };
    let mut write = store.session(Arc::new(caller)).write().await.unwrap();
    write.event(Event {
        kind: EventKind::Updated,
        subject: "test.thing",
        key: user.uuid(),
        version: 1,
        changed: vec!["name"],
        attributes: json!({}),
        before: json!(null),
    });
    write.commit(fact()).await.unwrap();
}

fn by(users: &[UserId]) -> Unheard {
    Unheard { actors: users.iter().map(|user| Some(*user)).collect(), everybody: false }
}

#[tokio::test]
async fn writers_are_told_apart_on_the_way_to_the_log_and_behind_the_position() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let org = crate::org(&store);
    let written = WrittenElsewhere(store.clone());
    let [ada, ben] = [1, 2].map(|number| UserId::from_uuid(Uuid::from_u128(number)));
    assert_eq!(written.unheard(0).await, Some(by(&[])));
    write_as(&store, org, ada).await;
    assert_eq!(written.unheard(0).await, Some(by(&[ada])), "on its way");
    drain(&mut Sequencer::new(store.clone())).await;
    write_as(&store, org, ben).await;
    assert_eq!(written.unheard(0).await, Some(by(&[ada, ben])), "one in the log, one on its way");
    assert_eq!(written.unheard(1).await, Some(by(&[ben])), "what is at the position was heard");
}

#[tokio::test]
async fn of_very_many_events_everybody_may_have_written_one() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let written = WrittenElsewhere(store);
    let mut connection = database.connect().await.unwrap();
    let mut waiting = async |events: i32| {
        sqlx::query(
            "INSERT INTO platform.outbox (kind, subject, key, version, changed, attributes, at)
             SELECT 'created', 'test.thing', gen_random_uuid(), 1, '{}', '{}', now() FROM generate_series(1, $1)",
        )
        .bind(events)
        .execute(&mut connection)
        .await
        .unwrap();
    };
    let nobody = HashSet::from([None]);
    waiting(9_999).await;
    assert_eq!(written.unheard(0).await, Some(Unheard { actors: nobody.clone(), everybody: false }));
    waiting(1).await;
    assert_eq!(written.unheard(0).await, Some(Unheard { actors: nobody, everybody: true }));
}
