//! How long and how much is kept.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pulse_cache::{Cache, CacheOptions, Fresh, Lookup, Miss, Space};

use crate::fixture::{SPACE, Source, Time, at, begun, change, key, lookup, options, row};

#[tokio::test]
async fn nothing_is_kept_longer_than_its_time() {
    let time = Time::default();
    let cache = begun(CacheOptions { ttl: Duration::from_mins(1), ..at(&time) });
    let (source, short) = (Source::default(), SPACE.keep_for(Duration::from_secs(5)));
    let short = Lookup { space: short, ..lookup() };
    source.get(&cache, key("a"), &[row(1)]).await;
    source.look(&cache, &short, key("a"), &[row(1)]).await;
    time.pass(Duration::from_secs(5));
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 1");
    assert_eq!(source.look(&cache, &short, key("a"), &[row(1)]).await, "load 3");
    time.pass(Duration::from_secs(55));
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 4");
    assert_eq!(cache.statistics().misses(Miss::Expired), 2);
}

#[tokio::test]
async fn a_load_says_how_long_its_value_is_kept_and_whether_at_all() {
    let time = Time::default();
    let (cache, source) = (begun(at(&time)), Source::default());
    let get = async |name: &str, of: fn(Fresh<Bytes>) -> Fresh<Bytes>| {
        let load = || async { Ok::<_, Infallible>(of(source.load(&[row(1)]))) };
        cache.get_or_load(&lookup(), key(name), load).await.unwrap().value
    };
    get("short", |fresh| fresh.keep_for(Duration::from_secs(1))).await;
    get("never", Fresh::not_kept).await;
    assert_eq!(get("short", |fresh| fresh).await, "load 1");
    assert_eq!(get("never", |fresh| fresh).await, "load 3");
    time.pass(Duration::from_secs(1));
    assert_eq!(get("short", |fresh| fresh).await, "load 4");
}

#[tokio::test]
async fn memory_is_bounded_by_the_size_of_what_is_kept() {
    let cache = begun(CacheOptions { max_bytes: 100_000, ..options() });
    let value = Bytes::from(vec![7; 9_000]);
    for number in 0..200 {
        let load = || async { Ok::<_, Infallible>(Fresh::new(value.clone(), vec![row(number)])) };
        cache.get_or_load(&lookup(), key(&number.to_string()), load).await.unwrap();
    }
    let (entries, bytes) = cache.size();
    assert!(bytes <= 100_000 && entries <= 11, "{entries} entries, {bytes} bytes");
    assert!(entries > 0);
    // What had to leave is not in the index either: its change concerns nobody.
    let huge = Bytes::from(vec![7; 200_000]);
    let load = || async { Ok::<_, Infallible>(Fresh::new(huge.clone(), vec![row(1)])) };
    cache.get_or_load(&lookup(), key("huge"), load).await.unwrap();
    assert!(cache.size().1 <= 100_000);
    for number in 0..200 {
        cache.take(&change(2 + i64::try_from(number).unwrap(), number));
    }
    assert_eq!(cache.size(), (0, 0));
    let source = Source::default();
    source.get(&cache, key("0"), &[]).await;
    assert!(cache.statistics().misses(Miss::Evicted) + cache.statistics().misses(Miss::Invalidated) > 0);
}

#[tokio::test]
async fn what_is_often_asked_for_is_loaded_again_when_it_changes() {
    let (cache, source) = (begun(options()), Source::default());
    let lookup = reloading(&cache, &source);
    source.look(&cache, &lookup, key("rare"), &[row(2)]).await;
    for _ in 0..1_000 {
        source.look(&cache, &lookup, key("hot"), &[row(1)]).await;
    }
    assert_eq!(source.loads(), 2);
    cache.take(&change(2, 1));
    cache.take(&change(3, 2));
    while cache.statistics().warmed() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(source.look(&cache, &lookup, key("hot"), &[row(1)]).await, "load 3");
    assert_eq!(source.loads(), 3, "nobody had to wait for it, and nothing else was loaded");
    assert_eq!(cache.statistics().misses(Miss::Invalidated), 0);
}

#[tokio::test]
async fn what_is_often_asked_for_is_loaded_again_shortly_before_its_time_is_over() {
    let time = Time::default();
    let cache = begun(CacheOptions { ttl: Duration::from_mins(1), ..at(&time) });
    let source = Source::default();
    let lookup = reloading(&cache, &source);
    for _ in 0..1_000 {
        source.look(&cache, &lookup, key("hot"), &[row(1)]).await;
    }
    time.pass(Duration::from_secs(55));
    assert_eq!(source.look(&cache, &lookup, key("hot"), &[row(1)]).await, "load 1");
    while cache.statistics().warmed() == 0 {
        tokio::task::yield_now().await;
    }
    time.pass(Duration::from_secs(55));
    assert_eq!(source.look(&cache, &lookup, key("hot"), &[row(1)]).await, "load 2");
}

fn reloading(cache: &Cache, source: &Source) -> Lookup<'static> {
    let (cache, source) = (cache.clone(), source.clone());
    lookup().reloaded(Arc::new(move |key| {
        let (cache, source) = (cache.clone(), source.clone());
        Box::pin(async move {
            source.look(&cache, &lookup().again(), key, &[row(1)]).await;
        })
    }))
}

#[test]
fn a_space_says_what_metrics_call_it() {
    assert_eq!(Space::new("entities.by_id", 1).name(), "entities.by_id");
}
