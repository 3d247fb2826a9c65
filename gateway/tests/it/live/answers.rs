//! What makes a live query answer again, and what does not.

use std::time::{Duration, Instant};

use serde_json::json;

use super::shelf::id;
use super::{KIND, Library, ONE, at_once, many, one};

#[tokio::test]
async fn a_row_is_answered_once_and_again_when_it_changes() {
    let library = Library::open(at_once()).await;
    library.shelf.put(1, "toy", "ball");
    library.shelf.put(2, "toy", "kite");
    library.shelf.heard().await;
    let mut events = library.follow(ONE, json!({ "id": id(1) })).await;
    assert_eq!(events.answer().await, one(1, "ball"));
    library.shelf.put(2, "toy", "drum");
    library.shelf.put(1, "toy", "bat");
    assert_eq!(events.answer().await, one(1, "bat"));
    assert_eq!(library.shelf.queries(), 2);
    library.shelf.take(1);
    assert_eq!(events.answer().await, json!({ "data": { "thing": null } }));
}

#[tokio::test]
async fn a_list_is_answered_again_when_something_comes_or_goes_or_moves() {
    let library = Library::open(at_once()).await;
    library.shelf.put(1, "toy", "ball");
    library.shelf.put(2, "book", "atlas");
    library.shelf.heard().await;
    let mut toys = library.follow(KIND, json!({ "kind": "toy" })).await;
    assert_eq!(toys.answer().await, many(&[(1, "ball")]));
    library.shelf.put(3, "toy", "kite");
    assert_eq!(toys.answer().await, many(&[(1, "ball"), (3, "kite")]));
    library.shelf.put(2, "toy", "atlas");
    assert_eq!(toys.answer().await, many(&[(1, "ball"), (2, "atlas"), (3, "kite")]));
    library.shelf.put(1, "book", "ball");
    assert_eq!(toys.answer().await, many(&[(2, "atlas"), (3, "kite")]));
    library.shelf.put(1, "lamp", "ball");
    library.shelf.take(3);
    assert_eq!(toys.answer().await, many(&[(2, "atlas")]));
    assert_eq!(library.shelf.queries(), 5, "what never was a toy is none of its concern");
}

#[tokio::test]
async fn an_answer_that_is_the_same_is_not_sent() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    let mut events = library.follow(ONE, json!({ "id": id(1) })).await;
    assert_eq!(events.answer().await, one(1, "ball"));
    library.shelf.tell(1, "toy", None, None);
    library.shelf.asked(2).await;
    library.shelf.put(1, "toy", "bat");
    assert_eq!(events.answer().await, one(1, "bat"));
}

#[tokio::test]
async fn what_changes_between_reading_and_watching_is_not_missed() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    library.shelf.open(false);
    let following = library.follow(ONE, json!({ "id": id(1) }));
    let meanwhile = async {
        library.shelf.asked(1).await;
        library.shelf.put(1, "toy", "bat");
        library.shelf.heard().await;
        library.shelf.open(true);
    };
    let (mut events, ()) = futures::future::join(following, meanwhile).await;
    let first = events.answer().await;
    if first == one(1, "ball") {
        assert_eq!(events.answer().await, one(1, "bat"));
    } else {
        assert_eq!(first, one(1, "bat"), "the client came only after the second answer");
    }
    assert_eq!(library.shelf.queries(), 2);
}

#[tokio::test]
async fn behind_a_gap_everything_is_answered_again() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    let mut events = library.follow(ONE, json!({ "id": id(1) })).await;
    assert_eq!(events.answer().await, one(1, "ball"));
    library.shelf.put_silently(1, "toy", "bat");
    library.shelf.gap();
    assert_eq!(events.answer().await, one(1, "bat"));
}

#[tokio::test]
async fn of_a_thousand_only_the_one_that_is_concerned_runs_again() {
    let mut config = at_once();
    config.live_queries.limit_per_caller = 1000;
    let library = Library::open(config).await;
    let mut all = Vec::new();
    for number in 0..1000 {
        library.shelf.put_silently(number, "toy", "ball");
        let mut events = library.follow(ONE, json!({ "id": id(number) })).await;
        assert_eq!(events.answer().await, one(number, "ball"));
        all.push(events);
    }
    for (runs, number) in [(1001, 700), (1002, 3)] {
        library.shelf.put(number, "toy", "bat");
        assert_eq!(all[usize::try_from(number).unwrap()].answer().await, one(number, "bat"));
        assert_eq!(library.shelf.queries(), runs);
    }
}

#[tokio::test]
async fn equal_ones_of_equal_callers_run_once_and_others_do_not_share() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    let mut own = Vec::new();
    for _ in 0..20 {
        own.push(library.follow(ONE, json!({ "id": id(1) })).await);
    }
    own.push(library.follow_as("entity:read", ONE, json!({ "id": id(1) })).await);
    for events in &mut own {
        assert_eq!(events.answer().await, one(1, "ball"));
    }
    assert_eq!(library.shelf.queries(), 2);
    library.shelf.put(1, "toy", "bat");
    for events in &mut own {
        assert_eq!(events.answer().await, one(1, "bat"));
    }
    assert_eq!(library.shelf.queries(), 4);
}

#[tokio::test]
async fn what_changes_within_the_throttle_comes_together_and_the_last_state_always() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "0");
    let throttled = "query($id: ID!, $ms: Int) @live(throttle: $ms) { thing(id: $id) { id name } }";
    let mut events = library.follow(throttled, json!({ "id": id(1), "ms": 3000 })).await;
    assert_eq!(events.answer().await, one(1, "0"));
    let began = Instant::now();
    for name in ["1", "2", "3"] {
        library.shelf.put(1, "toy", name);
        library.shelf.heard().await;
    }
    assert_eq!(events.answer().await, one(1, "3"));
    assert_eq!(library.shelf.queries(), 2);
    assert!(began.elapsed() >= Duration::from_secs(1), "it came too soon");
}

#[tokio::test]
async fn a_subgraph_that_fails_is_told_and_the_query_goes_on() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    let mut events = library.follow(ONE, json!({ "id": id(1) })).await;
    assert_eq!(events.answer().await, one(1, "ball"));
    library.shelf.break_down(true);
    library.shelf.put(1, "toy", "bat");
    let failed = events.answer().await;
    assert_eq!(failed["errors"][0]["extensions"]["code"], "INTERNAL", "{failed}");
    library.shelf.break_down(false);
    library.shelf.put(1, "toy", "bat");
    assert_eq!(events.answer().await, one(1, "bat"));
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_the_newest_state_and_not_all_between() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "0");
    let mut events = library.follow(ONE, json!({ "id": id(1) })).await;
    for change in 1..=200 {
        let runs = library.shelf.queries();
        library.shelf.put(1, "toy", &change.to_string());
        library.shelf.asked(runs + 1).await;
    }
    let mut seen = 0;
    while events.answer().await != one(1, "200") {
        seen += 1;
    }
    assert!(seen < 50, "{seen} answers waited for a client that reads nothing");
}
