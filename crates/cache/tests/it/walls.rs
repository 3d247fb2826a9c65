//! Nobody is answered with what another one's is.

use pulse_cache::Key;
use pulse_types::{Caller, Permission, RequestId, Subject, UserId};
use uuid::Uuid;

use crate::fixture::{Source, begun, change, options, org, row};

fn caller(tenant: u128, user: u128) -> Caller {
    let mut caller = Caller::system(org(tenant), RequestId::from_uuid(Uuid::from_u128(1)));
    caller.subject = Subject::User(UserId::from_uuid(Uuid::from_u128(user)));
    caller
}

#[tokio::test]
async fn a_tenant_is_never_answered_with_what_another_has_asked_for() {
    let (cache, source) = (begun(options()), Source::default());
    let key = |tenant| Key::of_tenant(org(tenant), "entities");
    assert_eq!(source.get(&cache, key(1), &[row(1)]).await, "load 1");
    assert_eq!(source.get(&cache, key(2), &[row(1)]).await, "load 2");
    assert_eq!(source.get(&cache, key(1), &[row(1)]).await, "load 1");
    assert_eq!(source.get(&cache, Key::public("entities"), &[row(1)]).await, "load 3");
}

#[tokio::test]
async fn a_caller_is_never_answered_with_what_another_has_asked_for() {
    let (cache, source) = (begun(options()), Source::default());
    let fewer = Caller { permissions: [Permission::ENTITY_READ].into_iter().collect(), ..caller(1, 1) };
    let callers = [caller(1, 1), caller(1, 2), caller(2, 1), fewer];
    for (number, caller) in callers.iter().enumerate() {
        let expected = format!("load {}", number + 1);
        assert_eq!(source.get(&cache, Key::of_caller(caller, "me"), &[row(1)]).await, expected);
    }
    for (number, caller) in callers.iter().enumerate() {
        let expected = format!("load {}", number + 1);
        let again = Caller { request: RequestId::from_uuid(Uuid::from_u128(2)), ..caller.clone() };
        assert_eq!(source.get(&cache, Key::of_caller(&again, "me"), &[row(1)]).await, expected);
    }
}

#[tokio::test]
async fn a_list_ends_with_changes_of_its_own_tenant_alone() {
    let (cache, source) = (begun(options()), Source::default());
    let list = [pulse_types::Tag::list("a.thing")];
    let key = |tenant| Key::of_caller(&caller(tenant, 1), "list");
    source.get(&cache, key(1), &list).await;
    source.get(&cache, key(2), &list).await;
    // In the first tenant.
    cache.take(&change(2, 1));
    assert_eq!(source.get(&cache, key(1), &list).await, "load 3");
    assert_eq!(source.get(&cache, key(2), &list).await, "load 2");
}
