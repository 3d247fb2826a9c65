//! What cannot be live, and what ends a live query.

use std::sync::Arc;

use pulse_gateway::{Gateway, GatewayConfig, GatewayParts, StreamFilter, StreamKind};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::shelf::{Shelf, id};
use super::{Library, ONE, at_once, one, shelf_parts};
use crate::streams::soon;
use crate::support::somebody;

#[tokio::test]
async fn only_queries_can_be_live() {
    let library = Library::open(at_once()).await;
    for (query, message) in [
        (
            r#"mutation @live { name(id: "1", name: "x") { id } }"#,
            r#"Directive "@live" may not be used on MUTATION"#,
        ),
        ("subscription @live { never }", r#"Directive "@live" may not be used on SUBSCRIPTION"#),
        ("{ things @live { id } }", r#"Directive "@live" may not be used on FIELD"#),
        (r#"query @live(throttle: "1s") { things { id } }"#, r#"Expected value of type "Int", found "1s""#),
        (
            "query @live(throttle: -1) { things { id } }",
            "`throttle` is a time in milliseconds: it cannot be -1",
        ),
    ] {
        let mut events = library.follow(query, json!({})).await;
        let answer = events.answer().await;
        let told = answer["errors"][0]["message"].as_str().unwrap();
        assert!(told.contains(message), "{told}");
        assert_eq!(answer["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn the_schema_shows_the_directive() {
    let library = Library::open(at_once()).await;
    let query = "{ __schema { directives { name description locations args { name description } } } }";
    let answer = library.follow(query, json!({})).await.answer().await;
    let directives = answer["data"]["__schema"]["directives"].as_array().unwrap();
    let live = directives.iter().find(|directive| directive["name"] == "live").unwrap();
    assert_eq!(live["locations"], json!(["QUERY"]));
    assert_eq!(live["args"].as_array().unwrap().len(), 2);
    let described = |value: &Value| value["description"].as_str().is_some_and(|text| text.len() > 20);
    assert!(described(live) && live["args"].as_array().unwrap().iter().all(described));
}

#[tokio::test]
async fn a_subgraph_that_does_not_say_what_it_reads_cannot_be_followed() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    let query = "query($id: ID!) @live { thing(id: $id) { label } }";
    let mut events = library.follow(query, json!({ "id": id(1) })).await;
    let answer = events.answer().await;
    assert_eq!(
        answer["errors"][0]["message"],
        "the subgraph `labels` does not say what it reads, so that nobody knows when to answer again: ask for its fields \
         by a query without `@live`"
    );
    assert_eq!(answer["errors"][0]["extensions"]["reason"], "LIVE_QUERY_UNTRACKED");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn what_subgraphs_say_of_themselves_is_not_shown() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    assert_eq!(library.follow(ONE, json!({ "id": id(1) })).await.answer().await, one(1, "ball"));
}

#[tokio::test]
async fn there_are_limits_for_a_caller_and_for_all() {
    let mut config = at_once();
    config.live_queries.limit = 3;
    config.live_queries.limit_per_caller = 2;
    let library = Library::open(config).await;
    let follow = async |number: u128| library.follow(ONE, json!({ "id": id(number) })).await;
    let (mut first, mut second) = (follow(1).await, follow(2).await);
    first.answer().await;
    second.answer().await;
    let answer = follow(3).await.answer().await;
    assert_eq!(
        answer["errors"][0]["message"],
        "you follow 2 live queries, which is the limit: end one, or ask for more in one query"
    );
    assert_eq!(answer["errors"][0]["extensions"]["reason"], "TOO_MANY_LIVE_QUERIES");
    drop(first);
    soon(async {
        while follow(3).await.answer().await.get("data").is_none() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn whoever_looks_after_streams_sees_it_and_ends_it() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    let mut events = library.follow(ONE, json!({ "id": id(1) })).await;
    assert_eq!(events.answer().await, one(1, "ball"));
    let streams = library.gateway.streams();
    let all = streams.list(&StreamFilter::default());
    assert_eq!((all.len(), all[0].kind, all[0].events), (1, StreamKind::LiveQuery, 1));
    let own =
        StreamFilter { org: library.shelf.org, session: all[0].caller.session, ..StreamFilter::default() };
    assert_eq!(streams.end(&own, "enough"), 1);
    assert_eq!(events.answer().await["errors"][0]["extensions"]["reason"], "STREAM_ENDED");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn when_nothing_is_heard_any_more_it_ends_and_says_so() {
    let library = Library::open(at_once()).await;
    library.shelf.put_silently(1, "toy", "ball");
    let mut events = library.follow(ONE, json!({ "id": id(1) })).await;
    assert_eq!(events.answer().await, one(1, "ball"));
    library.shelf.hang_up();
    assert_eq!(events.answer().await["errors"][0]["extensions"]["reason"], "LIVE_QUERY_DEAF");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn without_a_feed_of_changes_there_is_no_such_directive() {
    let caller = somebody();
    let shelf = Shelf::new(caller.org);
    for (changes, enabled) in [(None, true), (Some(shelf.clone()), false)] {
        let changes = changes.map(|shelf| Arc::new(shelf) as Arc<_>);
        let mut config = GatewayConfig::default();
        config.live_queries.enabled = enabled;
        let parts = GatewayParts { changes, ..shelf_parts(&shelf, &caller) };
        let gateway = Gateway::init(parts, config).await.unwrap();
        let body = json!({ "query": ONE, "variables": { "id": id(1) } }).to_string();
        let request = http::Request::post("/graphql").header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(body)).unwrap();
        let response = gateway.router().oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        assert!(String::from_utf8_lossy(&body).contains(r#"Unknown directive \"@live\""#), "{body:?}");
    }
}
