//! What the tests tell a cache, and ask of it.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use pulse_cache::{Cache, CacheOptions, Fresh, Freshness, Key, Lookup, RedisOptions, Space};
use pulse_testkit::RedisServer;
use pulse_types::{Change, ChangeKind, Clock, OrgId, Secret, Tag};
use serde_json::{Map, Value, json};
use uuid::Uuid;

pub(crate) const SPACE: Space = Space::new("test", 1);

pub(crate) fn org(number: u128) -> OrgId {
    OrgId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn key(what: &str) -> Key {
    Key::of_tenant(org(1), what)
}

pub(crate) fn lookup() -> Lookup<'static> {
    Lookup::new(SPACE, Freshness::AsHeard)
}

pub(crate) fn row(number: u128) -> Tag {
    Tag::row("a.thing", Uuid::from_u128(number))
}

/// A change of the thing of that number in the first tenant.
pub(crate) fn change(position: i64, number: u128) -> Arc<Change> {
    moved(position, number, &Value::Null, &Value::Null)
}

pub(crate) fn moved(position: i64, number: u128, now: &Value, before: &Value) -> Arc<Change> {
    let object = |value: &Value| value.as_object().cloned().unwrap_or_else(Map::new);
    Arc::new(Change {
        position,
        tenant: Some(org(1)),
        kind: ChangeKind::Updated,
        subject: "a.thing".into(),
        key: Uuid::from_u128(number),
        version: position,
        changed: Vec::new(),
        attributes: object(now),
        before: object(before),
        actor: None,
        request: None,
        at: DateTime::UNIX_EPOCH,
        facts: Vec::new(),
    })
}

pub(crate) fn of_kind(kind: &str) -> Value {
    json!({ "kind": kind })
}

/// A time that tests move.
#[derive(Clone, Default)]
pub(crate) struct Time(Arc<Mutex<Duration>>);

impl Time {
    pub(crate) fn pass(&self, time: Duration) {
        *self.0.lock().expect("nobody panics with it") += time;
    }

    fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::from_fn(move || {
            let passed = *time.0.lock().expect("nobody panics with it");
            DateTime::<Utc>::UNIX_EPOCH + TimeDelta::from_std(passed).expect("tests are short")
        })
    }
}

pub(crate) fn options() -> CacheOptions {
    CacheOptions::new(Time::default().clock())
}

pub(crate) fn at(time: &Time) -> CacheOptions {
    CacheOptions::new(time.clock())
}

/// A cache that has heard of everything up to the first position.
pub(crate) fn begun(options: CacheOptions) -> Cache {
    let cache = Cache::new(options);
    cache.begin("log", 1);
    cache
}

/// A process that shares what it keeps through `redis`.
pub(crate) fn sharing(redis: &RedisServer) -> Cache {
    let url = Secret::new(redis.url());
    let redis = RedisOptions { url, prefix: "test".to_owned(), timeout: Duration::from_secs(2) };
    begun(CacheOptions { redis: Some(redis), ..CacheOptions::new(Clock::system()) })
}

/// What is loaded, and how often.
#[derive(Clone, Default)]
pub(crate) struct Source(Arc<AtomicUsize>);

impl Source {
    pub(crate) fn loads(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// A value that says which load it is of.
    pub(crate) fn load(&self, tags: &[Tag]) -> Fresh<Bytes> {
        let number = self.0.fetch_add(1, Ordering::SeqCst) + 1;
        Fresh::new(Bytes::from(format!("load {number}")), tags.to_vec())
    }

    pub(crate) async fn get(&self, cache: &Cache, key: Key, tags: &[Tag]) -> Bytes {
        self.look(cache, &lookup(), key, tags).await
    }

    pub(crate) async fn look(&self, cache: &Cache, lookup: &Lookup<'_>, key: Key, tags: &[Tag]) -> Bytes {
        let load = || async { Ok::<_, Infallible>(self.load(tags)) };
        cache.get_or_load(lookup, key, load).await.unwrap().value
    }
}
