//! The level behind the process: answers that several processes share.
//!
//! Nothing is ever ended in Redis. What is there says until when it is good, and up to where in the log of changes it is
//! true; whoever reads it checks it against what they have heard since. So it does not matter what Redis has lost, missed
//! or kept too long. While it does not answer, answers come from this process alone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use http::HeaderValue;
use metrics::counter;
use pulse_types::Tag;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, RedisError};
use serde::{Deserialize, Serialize};

use super::Key;
use super::entry::{Begun, Ended, Entry, Kept, Tracking};
use super::reuse::tenant;
use super::store::Level;
use crate::changes::Reads;
use crate::config::RedisConfig;
use crate::engine::{Cost, SharingScope};

/// How long a Redis that did not answer is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// A Redis that several processes share.
pub(super) struct Redis {
    connection: ConnectionManager,
    prefix: String,
    timeout: Duration,
    started: Instant,
    /// Until when it is left alone, in milliseconds since the start.
    down_until: AtomicU64,
}

/// What is said of an answer in Redis, in front of its body.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    made: DateTime<Utc>,
    at: DateTime<Utc>,
    until: DateTime<Utc>,
    tracked_until: DateTime<Utc>,
    scope: SharingScope,
    told: Option<String>,
    cost: Option<Cost>,
    subgraphs: Vec<Arc<str>>,
    /// Up to where in the log it is true, and what it was made of, where changes of that end it.
    made_of: Option<(i64, Vec<String>)>,
}

impl Redis {
    /// The one that is configured, if one is. It is connected to when it is first needed.
    pub(super) fn new(config: &RedisConfig) -> Option<Self> {
        let url = config.url.expose();
        if url.is_empty() {
            return None;
        }
        let timeouts = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(config.timeout))
            .set_response_timeout(Some(config.timeout));
        let connection =
            Client::open(url).and_then(|client| ConnectionManager::new_lazy_with_config(client, timeouts));
        let connection = connection.map_err(|error| tracing::error!(%error, "Redis cannot be used")).ok()?;
        Some(Self {
            connection,
            prefix: config.prefix.clone(),
            timeout: config.timeout,
            started: Instant::now(),
            down_until: AtomicU64::new(0),
        })
    }

    /// What is kept under these keys and is good as far as this process knows.
    pub(super) async fn get(&self, keys: &[Key], level: Level<'_>) -> Vec<Option<Arc<Entry>>> {
        let mut call = redis::cmd("MGET");
        for key in keys {
            call.arg(self.name(key));
        }
        let answer: Vec<Option<Vec<u8>>> = self.call(&call).await.unwrap_or_default();
        let entry = |bytes: Option<Vec<u8>>| read(bytes?.into(), level).map(Arc::new);
        let mut found: Vec<_> = answer.into_iter().map(entry).collect();
        found.resize(keys.len(), None);
        found
    }

    /// Keeps an answer there too. Nobody waits for that.
    pub(super) fn put(self: &Arc<Self>, key: Key, entry: &Arc<Entry>, now: DateTime<Utc>) {
        let Some(bytes) = write(entry) else { return };
        let left = u64::try_from((entry.until() - now).num_milliseconds()).unwrap_or(0);
        if left == 0 || self.is_down() {
            return;
        }
        let redis = Arc::clone(self);
        tokio::spawn(async move {
            let mut call = redis::cmd("SET");
            call.arg(redis.name(&key)).arg(bytes).arg("PX").arg(left);
            let _kept: Option<()> = redis.call(&call).await;
        });
    }

    fn name(&self, key: &Key) -> String {
        format!("{}:answers:{}", self.prefix, key.hex())
    }

    fn is_down(&self) -> bool {
        self.elapsed() < self.down_until.load(Ordering::Relaxed)
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    async fn call<T: redis::FromRedisValue>(&self, call: &redis::Cmd) -> Option<T> {
        if self.is_down() {
            return None;
        }
        let mut connection = self.connection.clone();
        let answer = tokio::time::timeout(self.timeout, call.query_async::<T>(&mut connection)).await;
        let failure = match answer {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        self.fail(failure.as_ref());
        None
    }

    fn fail(&self, error: Option<&RedisError>) {
        counter!("pulse_gateway_response_cache_redis_failures_total").increment(1);
        let why = error.map_or_else(|| "it did not answer in time".to_owned(), ToString::to_string);
        tracing::warn!(why, "answers are kept in this process alone for a moment, as Redis cannot be used");
        let pause = u64::try_from(LEFT_ALONE.as_millis()).unwrap_or(u64::MAX);
        self.down_until.store(self.elapsed() + pause, Ordering::Relaxed);
    }
}

/// An answer as it is written. `None` for one that other processes could not check.
fn write(entry: &Entry) -> Option<Vec<u8>> {
    let Entry { body, made, kept, told, cost, subgraphs, tracking } = entry;
    let Kept { begun, until, tracked_until, scope } = kept;
    let made_of = match tracking {
        Some(tracking) => Some((begun.log?, tracking.reads.tags().map(|tag| tag.to_string()).collect())),
        None => None,
    };
    let head = Head {
        made: *made,
        at: begun.at,
        until: *until,
        tracked_until: *tracked_until,
        scope: *scope,
        told: told.as_ref().and_then(|told| told.to_str().ok()).map(ToOwned::to_owned),
        cost: *cost,
        subgraphs: subgraphs.to_vec(),
        made_of,
    };
    let mut bytes = serde_json::to_vec(&head).ok()?;
    bytes.push(b'\n');
    bytes.extend_from_slice(body);
    Some(bytes)
}

/// An answer that was written, if it is good. What changes ended while nobody here listened is not.
fn read(mut bytes: Bytes, level: Level<'_>) -> Option<Entry> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&bytes.split_to(end)).ok()?;
    let body = bytes.split_off(1);
    let Head { made, at, until, tracked_until, scope, told, cost, subgraphs, made_of } = head;
    // A clock ahead of this one says nothing of the time that is left.
    let at = at.min(level.now + TimeDelta::seconds(2));
    let log = made_of.as_ref().map(|(log, _)| *log);
    let tracking = made_of.and_then(|(log, tags)| {
        let mut reads = Reads::new(tags.len());
        for tag in tags {
            reads.add(tag.parse::<Tag>().ok()?);
        }
        let (reads, ended) = (Arc::new(reads), Arc::<Ended>::default());
        let of = (tenant(scope, level.caller), Arc::clone(&reads));
        let watch = level.changes?.watch_behind(log, of, Arc::clone(&ended) as _).ok()?;
        Some(Arc::new(Tracking { reads, ended, _watch: watch }))
    });
    // Of one that was to be ended by changes nothing is good that cannot be checked.
    if log.is_some() && tracking.is_none() {
        return None;
    }
    let begun = Begun { at, writes: None, heard: None, log };
    let told = told.and_then(|told| HeaderValue::try_from(told).ok());
    let kept = Kept { begun, until, tracked_until, scope };
    let entry = Entry { body, made, kept, told, cost, subgraphs: subgraphs.into(), tracking };
    entry.is_over(level.now).is_none().then_some(entry)
}
