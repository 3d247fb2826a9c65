//! What many ask for at once is loaded once.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::future::join_all;
use pulse_cache::{Cache, Fresh, Loaded};
use tokio::sync::Semaphore;

use crate::fixture::{Source, begun, change, key, lookup, options, row};

/// A load that waits until it may.
async fn slow(cache: &Cache, source: &Source, may: &Semaphore) -> Bytes {
    let load = || async {
        let loaded = source.load(&[row(1)]);
        may.acquire().await.expect("it is never closed").forget();
        Ok::<_, Infallible>(loaded)
    };
    cache.get_or_load(&lookup(), key("a"), load).await.unwrap().value
}

#[tokio::test]
async fn what_is_being_loaded_is_waited_for() {
    let (cache, source, may) = (begun(options()), Source::default(), Semaphore::new(0));
    let all = join_all((0..100).map(|_| slow(&cache, &source, &may)));
    let (values, ()) = tokio::join!(all, async { may.add_permits(1) });
    assert!(values.iter().all(|value| value == "load 1"), "{values:?}");
    assert_eq!((source.loads(), cache.statistics().joined()), (1, 99));
}

#[tokio::test]
async fn whoever_waits_for_a_load_that_a_change_overtakes_does_not_get_it() {
    let (cache, source, may) = (begun(options()), Source::default(), Semaphore::new(0));
    let first = slow(&cache, &source, &may);
    let others = join_all((0..10).map(|_| slow(&cache, &source, &may)));
    let (first, others, ()) = tokio::join!(first, others, async {
        cache.take(&change(2, 1));
        may.add_permits(2);
    });
    assert_eq!(first, "load 1");
    assert!(others.iter().all(|value| value == "load 2"), "{others:?}");
}

#[tokio::test]
async fn when_the_one_who_loads_gives_up_another_does_it() {
    let (cache, source, may) = (begun(options()), Source::default(), Semaphore::new(0));
    let mut first = Box::pin(slow(&cache, &source, &may));
    assert!(futures::poll!(&mut first).is_pending());
    let mut others = Box::pin(join_all((0..10).map(|_| slow(&cache, &source, &may))));
    assert!(futures::poll!(&mut others).is_pending());
    drop(first);
    may.add_permits(1);
    assert!(others.await.iter().all(|value| value == "load 2"));
    assert_eq!(source.loads(), 2);
}

#[tokio::test]
async fn a_load_that_fails_is_tried_by_the_next() {
    let (cache, tries) = (begun(options()), AtomicUsize::new(0));
    let load = || async {
        tokio::task::yield_now().await;
        match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Err("no"),
            _ => Ok(Fresh::new(Bytes::from("yes"), vec![row(1)])),
        }
    };
    let lookup = lookup();
    let (first, second) =
        tokio::join!(cache.get_or_load(&lookup, key("a"), load), cache.get_or_load(&lookup, key("a"), load));
    assert_eq!(first.unwrap_err(), "no");
    assert_eq!(second.unwrap().value, "yes");
}

#[tokio::test]
async fn of_several_keys_those_are_loaded_together_that_are_missing() {
    let (cache, source) = (begun(options()), Source::default());
    source.get(&cache, key("b"), &[row(2)]).await;
    let asked = std::sync::Mutex::new(Vec::new());
    let load = |keys: Vec<pulse_cache::Key>| {
        let what: Vec<_> = keys.iter().map(|key| key.what().to_owned()).collect();
        let values = what.iter().map(|what| Fresh::new(Bytes::from(what.clone()), vec![row(1)])).collect();
        asked.lock().unwrap().push(what);
        let mark = cache.mark();
        async move { Ok::<_, Infallible>(Loaded { mark, values }) }
    };
    let keys = ["a", "b", "c"].map(key).to_vec();
    let answers = cache.get_or_load_many(&lookup(), keys, load).await.unwrap();
    let values: Vec<_> = answers.iter().map(|answer| answer.value.clone()).collect();
    assert_eq!(values, ["a", "load 1", "c"]);
    assert_eq!(*asked.lock().unwrap(), [["a", "c"]]);
}
