//! Redis that goes and comes while processes read and write.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

use std::convert::Infallible;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use pulse_cache::{Cache, Fresh, Miss};
use pulse_testkit::RedisServer;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::fixture::{change, key, lookup, row, sharing};

/// How many things there are.
const THINGS: usize = 8;

/// Readers of each process.
const READERS: usize = 4;

/// Longer than anything takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// A database of things that change, and the processes that read it and are told of changes.
struct World {
    caches: [Cache; 2],
    /// What is committed of each thing.
    committed: [AtomicI64; THINGS],
    /// Of what everybody was told.
    told: [AtomicI64; THINGS],
    position: Mutex<i64>,
    is_over: AtomicBool,
}

impl World {
    /// Changes a thing, and tells both processes of it in the order of the log.
    fn write(&self, thing: usize) {
        let mut position = self.position.lock().unwrap();
        *position += 1;
        let version = self.committed[thing].fetch_add(1, Ordering::SeqCst) + 1;
        for cache in &self.caches {
            cache.take(&change(*position, thing as u128));
        }
        self.told[thing].store(version, Ordering::SeqCst);
    }

    /// Reads a thing through a process. It is not older than what the process was told before, and nothing that never was.
    async fn read(&self, process: usize, thing: usize) {
        let told = self.told[thing].load(Ordering::SeqCst);
        let load = || async {
            let version = self.committed[thing].load(Ordering::SeqCst);
            // Whatever happens meanwhile is not in it.
            tokio::task::yield_now().await;
            let value = Bytes::from(format!("{thing} {version}"));
            Ok::<_, Infallible>(Fresh::new(value, vec![row(thing as u128)]))
        };
        let cache = &self.caches[process];
        let answer = cache.get_or_load(&lookup(), key(&format!("thing {thing}")), load).await.unwrap();
        let text = std::str::from_utf8(&answer.value).unwrap();
        let (of, version) = text.split_once(' ').unwrap();
        assert_eq!(of, thing.to_string());
        let version: i64 = version.parse().unwrap();
        let committed = self.committed[thing].load(Ordering::SeqCst);
        assert!((told..=committed).contains(&version), "{version} of {thing}, told {told}, now {committed}");
    }

    fn sum(&self, count: impl Fn(&Cache) -> u64) -> u64 {
        self.caches.iter().map(count).sum()
    }

    /// Waits until something was counted `more` times more.
    async fn until(&self, what: &str, more: u64, count: impl Fn(&Cache) -> u64 + Copy) {
        let (before, mut again) = (self.sum(count), interval(Duration::from_millis(5)));
        let counted = async {
            while self.sum(count) < before + more {
                again.tick().await;
            }
        };
        timeout(PATIENCE, counted).await.unwrap_or_else(|_| panic!("there are no {what}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_redis_nothing_is_older_than_what_was_told() {
    let mut redis = RedisServer::start().await.unwrap();
    let world = Arc::new(World {
        caches: [sharing(&redis), sharing(&redis)],
        committed: Default::default(),
        told: Default::default(),
        position: Mutex::new(1),
        is_over: AtomicBool::new(false),
    });
    let mut working = JoinSet::new();
    for reader in 0..2 * READERS {
        let world = Arc::clone(&world);
        working.spawn(async move {
            for round in 0.. {
                if world.is_over.load(Ordering::SeqCst) {
                    return;
                }
                world.read(reader % 2, (reader + round) % THINGS).await;
                tokio::task::yield_now().await;
            }
        });
    }
    let writing = Arc::clone(&world);
    working.spawn(async move {
        let mut next = interval(Duration::from_millis(2));
        for round in 0.. {
            if writing.is_over.load(Ordering::SeqCst) {
                return;
            }
            next.tick().await;
            writing.write(round % THINGS);
        }
    });
    let from_redis = |cache: &Cache| cache.statistics().redis_hits();
    let without = |cache: &Cache| cache.statistics().misses(Miss::RedisDown);
    for _ in 0..2 {
        world.until("answers from Redis", 20, from_redis).await;
        redis.kill().unwrap();
        world.until("reads without Redis", 20, without).await;
        redis.restart().await.unwrap();
    }
    world.until("answers from Redis once more", 20, from_redis).await;
    world.is_over.store(true, Ordering::SeqCst);
    while let Some(ended) = working.join_next().await {
        ended.unwrap();
    }
}
