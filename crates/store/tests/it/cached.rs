//! Reads whose answers are kept, and writes that end them.

use std::collections::HashMap;
use std::sync::Arc;

use pulse_cache::{Cache, CacheOptions};
use pulse_store::{CachedRead, Scope, Session, Space, Store, Tagging, Tags};
use pulse_types::{Caller, Effect, OrgId, Permission, RequestId, Resource, ResourceKind, Tag};
use uuid::Uuid;

use crate::{Fixture, event, fact};

/// How many audit facts the tenant has, by the key of what they are said to be about.
static FACTS: CachedRead<Uuid, i64> = CachedRead {
    space: Space::new("test.facts", 1),
    scope: Scope::Tenant,
    tagging: Tagging::By(|_, key, _| vec![Tag::row("test.thing", *key)]),
    load: |session, keys| {
        Box::pin(async move {
            session.tag_all(keys.iter().map(|key| Tag::row("test.thing", *key)));
            let query =
                sqlx::query_as("SELECT key, (SELECT count(*) FROM platform.audit) FROM unnest($1) AS key");
            Ok(session.fetch_all("test.facts", query.bind(keys)).await?.into_iter().collect())
        })
    },
};

/// The same, for equal callers, tagged by what the read itself says.
static OWN_FACTS: CachedRead<Uuid, i64> = CachedRead {
    space: Space::new("test.own_facts", 1),
    scope: Scope::Caller,
    tagging: Tagging::Collected,
    load: FACTS.load,
};

/// A store that keeps answers, and has heard of everything so far.
async fn keeping() -> (Fixture, Store) {
    let fixture = Fixture::new().await;
    let cache = Cache::new(CacheOptions::new(fixture.store.clock().clone()));
    cache.begin("log", 0);
    let store = fixture.store.clone().cached(cache);
    (fixture, store)
}

fn caller(store: &Store) -> Arc<Caller> {
    let now = store.clock().now();
    Arc::new(Caller::system(OrgId::new(now), RequestId::new(now)))
}

async fn facts(session: &Session, key: u128) -> i64 {
    let key = Uuid::from_u128(key);
    session.read_through(&FACTS, vec![key]).await.unwrap()[&key]
}

async fn write(store: &Store, caller: &Arc<Caller>, key: u128) {
    let mut write = store.session(Arc::clone(caller)).write().await.unwrap();
    write.event(event(Uuid::from_u128(key)));
    write.commit(fact()).await.unwrap();
}

#[tokio::test]
async fn a_commit_ends_what_it_concerns_and_nothing_else() {
    let (_fixture, store) = keeping().await;
    let caller = caller(&store);
    let read = async |key| facts(&store.session(Arc::clone(&caller)), key).await;
    assert_eq!((read(1).await, read(2).await), (0, 0));
    write(&store, &caller, 1).await;
    assert_eq!((read(1).await, read(2).await), (1, 0), "nobody has said that the second is another one");
    let mut abandoned = store.session(Arc::clone(&caller)).write().await.unwrap();
    abandoned.event(event(Uuid::from_u128(1)));
    drop(abandoned);
    let statements = store.statistics().statements();
    assert_eq!((read(1).await, read(2).await), (1, 0));
    assert_eq!(store.statistics().statements(), statements);
}

#[tokio::test]
async fn what_is_read_in_a_snapshot_from_before_a_write_is_not_kept() {
    let (_fixture, store) = keeping().await;
    let caller = caller(&store);
    let early = store.session(Arc::clone(&caller));
    let open = sqlx::query_as::<_, (i32,)>("SELECT 1");
    early.fetch_one("test.open", open).await.unwrap();
    write(&store, &caller, 1).await;
    assert_eq!(facts(&early, 1).await, 0, "its snapshot is what it is");
    assert_eq!(facts(&store.session(Arc::clone(&caller)), 1).await, 1, "but nobody else gets it");
}

#[tokio::test]
async fn several_keys_are_one_statement_and_then_none() {
    let (_fixture, store) = keeping().await;
    let caller = caller(&store);
    let keys: Vec<_> = (1..=20).map(Uuid::from_u128).collect();
    let read = async || {
        let before = store.statistics().statements();
        let found = store.session(Arc::clone(&caller)).read_through(&FACTS, keys.clone()).await.unwrap();
        assert_eq!(found, keys.iter().map(|key| (*key, 0)).collect::<HashMap<_, _>>());
        store.statistics().statements() - before
    };
    assert_eq!((read().await, read().await), (1, 0));
}

#[tokio::test]
async fn tenants_and_callers_have_their_own() {
    let (_fixture, store) = keeping().await;
    let (ours, theirs) = (caller(&store), caller(&store));
    write(&store, &ours, 1).await;
    let key = Uuid::from_u128(1);
    for read in [&FACTS, &OWN_FACTS] {
        for _ in 0..2 {
            let found = async |caller: &Arc<Caller>| {
                store.session(Arc::clone(caller)).read_through(read, vec![key]).await.unwrap()[&key]
            };
            assert_eq!((found(&ours).await, found(&theirs).await), (1, 0));
        }
    }
}

#[tokio::test]
async fn what_was_kept_is_tagged_as_if_it_had_been_read() {
    let (_fixture, store) = keeping().await;
    let caller = caller(&store);
    let key = Uuid::from_u128(1);
    for read in [&FACTS, &OWN_FACTS] {
        for _ in 0..2 {
            let tags = Arc::<Tags>::default();
            let session = store.session(Arc::clone(&caller)).collecting(Arc::clone(&tags));
            session.read_through(read, vec![key]).await.unwrap();
            assert_eq!(tags.collected(), [Tag::row("test.thing", key)]);
        }
    }
}

#[tokio::test]
async fn a_store_without_a_cache_reads_each_time() {
    let fixture = Fixture::new().await;
    let caller = caller(&fixture.store);
    assert_eq!(facts(&fixture.store.session(Arc::clone(&caller)), 1).await, 0);
    write(&fixture.store, &caller, 2).await;
    assert_eq!(facts(&fixture.store.session(caller), 1).await, 1);
}

#[tokio::test]
async fn what_is_kept_for_a_tenant_is_not_for_narrowed_callers_nor_theirs_for_others() {
    let (_fixture, store) = keeping().await;
    let caller = caller(&store);
    let thing = Resource::new(ResourceKind::ENTITY, Uuid::from_u128(9));
    let rights = [(Effect::Deny, Permission::ENTITY_READ, thing)].into_iter().collect();
    let narrowed = Arc::new(Caller { rights, ..(*caller).clone() });
    let loads = || store.cache().expect("keeps").statistics().loads();
    assert_eq!(facts(&store.session(Arc::clone(&narrowed)), 1).await, 0);
    assert_eq!(loads(), 0, "it was read past the cache");
    assert_eq!(facts(&store.session(Arc::clone(&caller)), 1).await, 0);
    assert_eq!(loads(), 1, "nothing was kept before");
    let before = store.statistics().statements();
    assert_eq!(facts(&store.session(narrowed), 1).await, 0);
    assert!(store.statistics().statements() > before, "what is kept is not told");
}
