//! Several processes share what they keep, and none is ever answered with what is old.

use std::convert::Infallible;
use std::time::Duration;

use pulse_cache::{Certainty, Miss};
use pulse_testkit::RedisServer;
use pulse_types::Change;
use tokio::time::interval;

use crate::fixture::{Source, change, key, lookup, row, sharing};

/// Asks until another process has had it from Redis: it is written there off the path of the answer.
async fn until_shared(redis: &RedisServer, what: &str) {
    let (source, mut again) = (Source::default(), interval(Duration::from_millis(5)));
    while source.loads() < 500 {
        let (other, before) = (sharing(redis), source.loads());
        source.get(&other, key(what), &[row(1)]).await;
        if source.loads() == before {
            return;
        }
        again.tick().await;
    }
    panic!("{what} was never shared")
}

#[tokio::test]
async fn what_one_process_has_read_another_has() {
    let redis = RedisServer::start().await.unwrap();
    let (first, source) = (sharing(&redis), Source::default());
    source.get(&first, key("a"), &[row(1)]).await;
    until_shared(&redis, "a").await;
    let second = sharing(&redis);
    assert_eq!(source.get(&second, key("a"), &[row(1)]).await, "load 1");
    assert_eq!(second.statistics().redis_hits(), 1);
    // It ends there, too, with what it was made of.
    second.take(&change(2, 1));
    let before = source.loads();
    source.get(&second, key("a"), &[row(1)]).await;
    assert_eq!(source.loads(), before + 1);
}

#[tokio::test]
async fn what_is_old_in_redis_is_never_taken() {
    let redis = RedisServer::start().await.unwrap();
    let (first, source) = (sharing(&redis), Source::default());
    source.get(&first, key("a"), &[row(1)]).await;
    until_shared(&redis, "a").await;
    // One that has heard of the change, as everybody but the first has.
    let second = sharing(&redis);
    second.take(&change(2, 1));
    assert_eq!(source.get(&second, key("a"), &[row(1)]).await, "load 2");
    // One that began later does not know what came before.
    let third = sharing(&redis);
    third.begin("log", 5);
    let value = source.get(&third, key("a"), &[row(1)]).await;
    assert_eq!(value, "load 3");
}

#[tokio::test]
async fn what_this_process_has_changed_is_not_taken_from_redis_before_the_log_has_it() {
    let redis = RedisServer::start().await.unwrap();
    let (first, source) = (sharing(&redis), Source::default());
    source.get(&first, key("a"), &[row(1)]).await;
    until_shared(&redis, "a").await;
    let own = Change::clone(&change(2, 1));
    first.invalidate([Change { position: 0, ..own.clone() }], Certainty::Committed);
    assert_eq!(source.get(&first, key("a"), &[row(1)]).await, "load 2");
    // The same in a process in whose memory there is nothing: what Redis has is true up to before the write.
    let second = sharing(&redis);
    second.invalidate([Change { position: 0, ..own.clone() }], Certainty::Committed);
    assert_eq!(source.get(&second, key("a"), &[row(1)]).await, "load 3");
    second.take(&own.into());
    assert_eq!(source.get(&second, key("a"), &[row(1)]).await, "load 3");
    assert_eq!(second.statistics().redis_hits(), 0);
}

#[tokio::test]
async fn what_was_overtaken_while_it_was_read_never_comes_from_redis() {
    let redis = RedisServer::start().await.unwrap();
    let (first, second, source) = (sharing(&redis), sharing(&redis), Source::default());
    // Both are told of the change after the first has read and before it hands in what it has read.
    let load = || async {
        let loaded = source.load(&[row(1)]);
        first.take(&change(2, 1));
        second.take(&change(2, 1));
        Ok::<_, Infallible>(loaded)
    };
    let lookup = lookup();
    assert_eq!(first.get_or_load(&lookup, key("a"), load).await.unwrap().value, "load 1");
    assert_eq!(source.get(&second, key("a"), &[row(1)]).await, "load 2");

    // The second alone is told of it: the first may keep for itself what is true up to where it has heard.
    let load = || async {
        let loaded = source.load(&[row(3)]);
        second.take(&change(3, 3));
        Ok::<_, Infallible>(loaded)
    };
    assert_eq!(first.get_or_load(&lookup, key("b"), load).await.unwrap().value, "load 3");
    until_shared(&redis, "b").await;
    assert_eq!(source.get(&second, key("b"), &[row(3)]).await, "load 4");
    first.take(&change(3, 3));
    assert_eq!(source.get(&first, key("b"), &[row(3)]).await, "load 4");
}

#[tokio::test]
async fn several_processes_load_once() {
    let redis = RedisServer::start().await.unwrap();
    let (first, second, source) = (sharing(&redis), sharing(&redis), Source::default());
    let asked = || first.statistics().misses(Miss::Absent) + second.statistics().misses(Miss::Absent);
    let load = || async {
        let loaded = source.load(&[row(1)]);
        while asked() < 2 {
            tokio::task::yield_now().await;
        }
        Ok::<_, Infallible>(loaded)
    };
    let lookup = lookup();
    let (one, other) = tokio::join!(
        first.get_or_load(&lookup, key("a"), load),
        second.get_or_load(&lookup, key("a"), load),
    );
    assert_eq!((one.unwrap().value, other.unwrap().value), ("load 1".into(), "load 1".into()));
    assert_eq!(source.loads(), 1);
}

#[tokio::test]
async fn without_redis_the_process_goes_on_alone_and_with_it_again_nothing_old_comes_back() {
    let mut redis = RedisServer::start().await.unwrap();
    let (cache, source) = (sharing(&redis), Source::default());
    source.get(&cache, key("a"), &[row(1)]).await;
    until_shared(&redis, "a").await;
    redis.kill().unwrap();
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 1");
    cache.take(&change(2, 1));
    let started = std::time::Instant::now();
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 2");
    assert_eq!(source.get(&cache, key("b"), &[row(1)]).await, "load 3");
    assert!(started.elapsed() < Duration::from_secs(10), "nobody hangs");
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 2");
    assert!(cache.statistics().misses(Miss::RedisDown) >= 2);
    redis.restart().await.unwrap();
    // It is left alone for a second after it failed. What was there before is gone with it.
    let mut again = interval(Duration::from_millis(20));
    for number in 0.. {
        let down = cache.statistics().misses(Miss::RedisDown);
        source.get(&cache, key(&format!("other {number}")), &[row(1)]).await;
        if cache.statistics().misses(Miss::RedisDown) == down {
            break;
        }
        again.tick().await;
    }
    cache.take(&change(3, 1));
    let loads = source.loads();
    source.get(&cache, key("a"), &[row(1)]).await;
    assert_eq!(source.loads(), loads + 1);
}
