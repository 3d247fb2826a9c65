//! What changes ends what was made of it, and nothing else.

use std::convert::Infallible;

use bytes::Bytes;
use pulse_cache::{Cache, Certainty, Miss};
use pulse_types::{Change, Tag};
use serde_json::Value;

use crate::fixture::{Source, begun, change, key, lookup, moved, of_kind, options, row};

/// Loads a value of the first thing; `meanwhile` happens when it was read and before it is handed in.
async fn load_while(cache: &Cache, source: &Source, meanwhile: impl Fn() + Send + Sync) -> Bytes {
    let load = || async {
        let loaded = source.load(&[row(1)]);
        meanwhile();
        Ok::<_, Infallible>(loaded)
    };
    cache.get_or_load(&lookup(), key("a"), load).await.unwrap().value
}

#[tokio::test]
async fn what_was_read_is_kept_until_something_that_it_was_made_of_changes() {
    let (cache, source) = (begun(options()), Source::default());
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 1");
    cache.take(&change(2, 2));
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 1");
    cache.take(&change(3, 1));
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 2");
    let statistics = cache.statistics();
    assert_eq!((statistics.memory_hits(), statistics.loads()), (1, 2));
    assert_eq!((statistics.misses(Miss::Absent), statistics.misses(Miss::Invalidated)), (1, 1));
}

#[tokio::test]
async fn a_list_ends_with_what_comes_goes_or_moves_in_or_out() {
    let (cache, source) = (begun(options()), Source::default());
    let list = [Tag::list("a.thing").with("kind", "x")];
    let mut position = 1;
    let mut loads = 0;
    let changes = [
        (of_kind("x"), Value::Null, true),
        (of_kind("y"), Value::Null, false),
        (of_kind("x"), of_kind("y"), true),
        (of_kind("y"), of_kind("x"), true),
        (Value::Null, Value::Null, true),
    ];
    for (now, before, ends) in changes {
        source.get(&cache, key("list"), &list).await;
        loads = source.loads().max(loads);
        position += 1;
        cache.take(&moved(position, 9, &now, &before));
        source.get(&cache, key("list"), &list).await;
        assert_eq!(source.loads() > loads, ends, "{now} {before}");
    }
}

#[tokio::test]
async fn what_was_overtaken_by_a_change_while_it_was_read_is_not_kept() {
    let (cache, source) = (begun(options()), Source::default());
    assert_eq!(load_while(&cache, &source, || cache.take(&change(2, 1))).await, "load 1");
    assert_eq!(load_while(&cache, &source, || cache.take(&change(3, 2))).await, "load 2");
    assert_eq!(load_while(&cache, &source, || ()).await, "load 2");
    let own = Change::clone(&change(0, 1));
    cache.invalidate([own.clone()], Certainty::Committed);
    let during = || cache.invalidate([own.clone()], Certainty::Committed);
    assert_eq!(load_while(&cache, &source, during).await, "load 3");
    assert_eq!(load_while(&cache, &source, || cache.gap()).await, "load 4");
    assert_eq!(load_while(&cache, &source, || ()).await, "load 5");
}

#[tokio::test]
async fn a_write_of_this_process_counts_once_at_its_commit() {
    let (cache, source) = (begun(options()), Source::default());
    source.get(&cache, key("a"), &[row(1)]).await;
    let own = Change::clone(&change(2, 1));
    cache.invalidate([Change { position: 0, ..own.clone() }], Certainty::Committed);
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 2");
    cache.take(&own.into());
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 2");
}

#[tokio::test]
async fn a_write_that_nobody_knows_of_whether_it_was_committed_counts_again_when_the_log_has_it() {
    let (cache, source) = (begun(options()), Source::default());
    let own = Change::clone(&change(2, 1));
    cache.invalidate([Change { position: 0, ..own.clone() }], Certainty::Unknown);
    // Read before the commit, which came later.
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 1");
    cache.take(&own.into());
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 2");
}

#[tokio::test]
async fn missed_changes_end_everything() {
    let (cache, source) = (begun(options()), Source::default());
    source.get(&cache, key("a"), &[row(1)]).await;
    cache.gap();
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 2");
    // Nobody said so, but the second position is not there.
    cache.take(&change(3, 7));
    cache.take(&change(5, 7));
    assert_eq!(source.get(&cache, key("a"), &[row(1)]).await, "load 3");
    assert_eq!(cache.statistics().misses(Miss::Gap), 2);
    assert_eq!(cache.size().0, 1);
}

#[tokio::test]
async fn nothing_is_kept_while_nobody_tells_of_changes() {
    let (cache, source) = (Cache::new(options()), Source::default());
    source.get(&cache, key("a"), &[row(1)]).await;
    source.get(&cache, key("a"), &[row(1)]).await;
    cache.begin("log", 1);
    source.get(&cache, key("a"), &[row(1)]).await;
    source.get(&cache, key("a"), &[row(1)]).await;
    assert_eq!(source.loads(), 3);
    cache.end();
    source.get(&cache, key("a"), &[row(1)]).await;
    assert_eq!((source.loads(), cache.size().0), (4, 0));
}
