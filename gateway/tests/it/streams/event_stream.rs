//! Server-sent events, a connection for each operation.

use http::Method;

use super::body::Pieces;
use super::{configured, start};

const SSE: &str = "text/event-stream";

#[tokio::test]
async fn a_subscription_sends_each_event_until_the_client_leaves() {
    let (gateway, feed) = start().await;
    let query = "subscription($room: String!) { posts(room: $room) { id name } }";
    let mut stream = Pieces::post(&gateway.url, SSE, query, r#"{"room":"a"}"#).await;
    assert_eq!(stream.response.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(stream.response.headers()["cache-control"], "private, no-store");
    feed.post("a");
    let event = stream.event().await;
    assert_eq!(
        event,
        "id: 1\nevent: next\ndata: {\"data\":{\"posts\":{\"id\":\"a-1\",\"name\":\"post a-1\"}},\"extensions\":{\"cursor\":\"1\"}}"
    );
    drop(stream);
    feed.wait_open(0).await;
}

/// Comes back with the id of the last event, and posts twice.
async fn back(query: &str, variables: &str) -> Vec<String> {
    let (gateway, feed) = start().await;
    feed.post("a");
    feed.post("a");
    let body = format!(r#"{{"query":{},"variables":{variables}}}"#, serde_json::Value::from(query));
    let headers = ["content-type: application/json", "accept: text/event-stream", "last-event-id: 1"];
    let url = format!("{}/graphql", gateway.url);
    let mut stream = Pieces::open(Method::POST, &url, &headers, &body).await;
    assert_eq!(stream.until("\n\n").await, ":\n\n");
    feed.post("a");
    vec![stream.event().await, stream.event().await]
}

#[tokio::test]
async fn whoever_comes_back_with_the_last_id_gets_what_was_missed() {
    for (query, variables) in [
        ("subscription($room: String!) { posts(room: $room) { id } }", r#"{"room":"a"}"#),
        (
            "subscription($room: String!, $after: String) { posts(room: $room, after: $after) { id } }",
            r#"{"room":"a","after":null}"#,
        ),
    ] {
        let events = back(query, variables).await;
        assert!(events[0].starts_with("id: 2\n") && events[0].contains("a-2"), "{events:?}");
        assert!(events[1].starts_with("id: 3\n") && events[1].contains("a-3"), "{events:?}");
    }
}

#[tokio::test]
async fn an_operation_that_says_where_it_begins_is_taken_at_its_word() {
    let query = "subscription($room: String!, $after: String) { posts(room: $room, after: $after) { id } }";
    let events = back(query, r#"{"room":"a","after":"0"}"#).await;
    assert!(events[0].starts_with("id: 1\n") && events[1].starts_with("id: 2\n"), "{events:?}");
}

#[tokio::test]
async fn a_field_that_cannot_go_back_begins_now() {
    let (gateway, feed) = start().await;
    feed.post("lobby");
    let body = r#"{"query":"subscription { plain(room: \"lobby\") { id } }"}"#;
    let headers = ["content-type: application/json", "accept: text/event-stream", "last-event-id: 0"];
    let url = format!("{}/graphql", gateway.url);
    let mut stream = Pieces::open(Method::POST, &url, &headers, body).await;
    feed.wait_open(1).await;
    feed.post("lobby");
    assert_eq!(stream.event().await, "event: next\ndata: {\"data\":{\"plain\":{\"id\":\"lobby-2\"}}}");
}

#[tokio::test]
async fn a_query_is_one_event_when_events_are_what_the_client_takes() {
    let (gateway, _) = start().await;
    let url = format!("{}/graphql?query=%7B%20hello%20%7D", gateway.url);
    let mut stream = Pieces::open(Method::GET, &url, &["accept: text/event-stream"], "").await;
    insta::assert_snapshot!(stream.until("\0").await, @r#"
    :

    event: next
    data: {"data":{"hello":"you, Anonymous"}}

    event: complete
    data:
    "#);
    let mut plain =
        Pieces::post(&gateway.url, "application/json, text/event-stream", "{ hello }", "{}").await;
    assert_eq!(plain.until("\0").await, r#"{"data":{"hello":"you, Anonymous"}}"#);
}

#[tokio::test]
async fn an_operation_that_is_wrong_is_told_as_an_event() {
    let (gateway, _) = start().await;
    let mut stream = Pieces::post(&gateway.url, SSE, "subscription { nothing }", "{}").await;
    assert_eq!(stream.response.status(), 200);
    insta::assert_snapshot!(stream.until("\0").await, @r#"
    :

    event: next
    data: {"errors":[{"message":"Cannot query field \"nothing\" on type \"Subscription\".","locations":[{"line":1,"column":16}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}]}

    event: complete
    data:
    "#);
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_by_its_status() {
    let (gateway, _) = start().await;
    let headers = ["content-type: application/json", "accept: text/event-stream"];
    let mut refused =
        Pieces::open(Method::POST, &format!("{}/graphql", gateway.url), &headers, "no json").await;
    assert_eq!(refused.response.status(), 400);
    insta::assert_snapshot!(refused.until("\0").await, @r#"{"errors":[{"message":"the request's body is not valid JSON: expected a value at byte 0","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}"#);
}

#[tokio::test]
async fn a_subscription_that_cannot_stream_says_what_to_send() {
    let (gateway, _) = start().await;
    let reply = gateway.post(r#"{"query":"subscription { posts(room: \"a\") { id } }"}"#).await;
    insta::assert_snapshot!(reply, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"a subscription has no single answer: send it over WebSocket (graphql-transport-ws), or with `Accept: text/event-stream` or `Accept: multipart/mixed;subscriptionSpec=1.0`","extensions":{"code":"BAD_USER_INPUT","reason":"SUBSCRIPTION_TRANSPORT"}}]}
    "#);
}

#[tokio::test]
async fn silence_is_filled_with_comments() {
    let (gateway, _) =
        configured(|config| config.subscriptions.keep_alive = std::time::Duration::from_millis(20)).await;
    let query = r#"subscription { posts(room: "a") { id } }"#;
    let mut stream = Pieces::post(&gateway.url, SSE, query, "{}").await;
    for _ in 0..3 {
        assert_eq!(stream.until("\n\n").await, ":\n\n");
    }
}

#[tokio::test]
async fn a_stop_is_told_and_the_stream_completed() {
    let (gateway, feed) = start().await;
    let query = r#"subscription { posts(room: "a") { id } }"#;
    let mut stream = Pieces::post(&gateway.url, SSE, query, "{}").await;
    feed.wait_open(1).await;
    let stopping = tokio::spawn(gateway.stop());
    assert!(stream.event().await.contains("SHUTTING_DOWN"));
    assert_eq!(stream.event().await, "event: complete\ndata:");
    super::soon(stopping).await.unwrap();
}

#[tokio::test]
async fn streams_over_the_limit_are_refused_and_one_that_ends_makes_place() {
    let (gateway, feed) = configured(|config| config.subscriptions.stream_limit = 1).await;
    let query = r#"subscription { posts(room: "a") { id } }"#;
    let first = Pieces::post(&gateway.url, SSE, query, "{}").await;
    let mut second = Pieces::post(&gateway.url, SSE, query, "{}").await;
    assert!(second.event().await.contains("TOO_MANY_STREAMS"));
    drop(first);
    feed.wait_open(0).await;
    super::soon(async {
        loop {
            let mut third = Pieces::post(&gateway.url, SSE, query, "{}").await;
            let opened = third.until("\n\n").await;
            feed.post("lobby");
            if opened == ":\n\n" && third.event().await.contains("\"id\"") {
                break;
            }
        }
    })
    .await;
}
