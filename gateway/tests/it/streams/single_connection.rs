//! Server-sent events, one connection for many operations.

use std::time::Duration;

use http::Method;

use super::body::Pieces;
use super::{configured, start};
use crate::support::gateway::TestGateway;

async fn reserve(gateway: &TestGateway) -> String {
    let reply = gateway.send(Method::PUT, "/graphql", &[], "").await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.header("content-type"), Some("text/plain; charset=utf-8"));
    format!("x-graphql-event-stream-token: {}", reply.text())
}

async fn open(gateway: &TestGateway, token: &str) -> Pieces {
    let headers = ["accept: text/event-stream", token];
    Pieces::open(Method::GET, &format!("{}/graphql", gateway.url), &headers, "").await
}

async fn operate(gateway: &TestGateway, token: &str, id: &str, query: &str) -> u16 {
    let query = serde_json::Value::from(query);
    let body = format!(r#"{{"query":{query},"extensions":{{"operationId":"{id}"}}}}"#);
    let headers = ["content-type: application/json", token];
    gateway.send(Method::POST, "/graphql", &headers, body).await.status.as_u16()
}

#[tokio::test]
async fn one_stream_carries_many_operations() {
    let (gateway, feed) = start().await;
    let token = reserve(&gateway).await;
    let mut stream = open(&gateway, &token).await;
    assert_eq!(stream.response.status(), 200);
    assert_eq!(operate(&gateway, &token, "q", "{ hello }").await, 202);
    assert_eq!(
        stream.event().await,
        "event: next\ndata: {\"id\":\"q\",\"payload\":{\"data\":{\"hello\":\"you, Anonymous\"}}}"
    );
    assert_eq!(stream.event().await, "event: complete\ndata: {\"id\":\"q\"}");

    let query = r#"subscription { posts(room: "lobby") { id } }"#;
    assert_eq!(operate(&gateway, &token, "s", query).await, 202);
    feed.post("lobby");
    assert_eq!(
        stream.event().await,
        "event: next\ndata: {\"id\":\"s\",\"payload\":{\"data\":{\"posts\":{\"id\":\"lobby-1\"}},\"extensions\":{\"cursor\":\"1\"}}}"
    );
    assert_eq!(operate(&gateway, &token, "s", query).await, 409);
    let ended = gateway.send(Method::DELETE, "/graphql?operationId=s", &[&token], "").await;
    assert_eq!(ended.status, 200);
    feed.wait_open(0).await;
    drop(stream);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_response_to_the_request() {
    let (gateway, _) = start().await;
    let token = reserve(&gateway).await;
    let _stream = open(&gateway, &token).await;
    assert_eq!(open(&gateway, &token).await.response.status(), 409);
    assert_eq!(operate(&gateway, &token, "a", "{ nothing }").await, 400);
    let again = gateway.send(Method::PUT, "/graphql", &[&token], "").await;
    assert_eq!(again.status, 409);
    let headers = ["content-type: application/json", token.as_str()];
    let unnamed = gateway.send(Method::POST, "/graphql", &headers, r#"{"query":"{ hello }"}"#).await;
    insta::assert_snapshot!(unnamed, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"an operation over an event stream needs an id: send it as `extensions.operationId`, or as the parameter `operationId` to end it","extensions":{"code":"BAD_USER_INPUT","reason":"OPERATION_ID_MISSING"}}]}
    "#);
    let unknown = "x-graphql-event-stream-token: 0123";
    assert_eq!(operate(&gateway, unknown, "a", "{ hello }").await, 404);
    assert_eq!(open(&gateway, unknown).await.response.status(), 404);
}

#[tokio::test]
async fn a_reservation_that_is_not_used_ends() {
    let short = Duration::from_millis(20);
    let (gateway, _) = configured(|config| config.subscriptions.connection_init_timeout = short).await;
    let token = reserve(&gateway).await;
    super::soon(async { while operate(&gateway, &token, "a", "{ nothing }").await != 404 {} }).await;
}

#[tokio::test]
async fn reservations_and_operations_have_limits() {
    let (gateway, _) = configured(|config| {
        config.subscriptions.reservation_limit = 1;
        config.subscriptions.operations_per_connection = 1;
    })
    .await;
    let token = reserve(&gateway).await;
    let second = gateway.send(Method::PUT, "/graphql", &[], "").await;
    assert_eq!(second.status, 503);
    let _stream = open(&gateway, &token).await;
    let query = r#"subscription { posts(room: "lobby") { id } }"#;
    assert_eq!(operate(&gateway, &token, "a", query).await, 202);
    assert_eq!(operate(&gateway, &token, "b", query).await, 429);
}

#[tokio::test]
async fn a_stop_ends_each_operation_with_its_reason() {
    let (gateway, feed) = start().await;
    let token = reserve(&gateway).await;
    let mut stream = open(&gateway, &token).await;
    assert_eq!(operate(&gateway, &token, "a", r#"subscription { posts(room: "a") { id } }"#).await, 202);
    feed.wait_open(1).await;
    let stopping = tokio::spawn(gateway.stop());
    assert!(stream.event().await.contains("SHUTTING_DOWN"));
    assert_eq!(stream.event().await, "event: complete\ndata: {\"id\":\"a\"}");
    super::soon(stopping).await.unwrap();
}
