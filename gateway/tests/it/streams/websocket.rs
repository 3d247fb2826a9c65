//! The protocol `graphql-transport-ws`.

use super::socket::Socket;
use super::start;

const POSTS: &str = "subscription($room: String!) { posts(room: $room) { id name } }";

#[tokio::test]
async fn a_socket_carries_queries_mutations_and_subscriptions_at_once() {
    let (gateway, feed) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    feed.wait_open(1).await;
    socket.subscribe("q", "query($name: String) { hello(name: $name) }", r#"{"name":"Ada"}"#).await;
    assert_eq!(
        socket.read().await,
        r#"{"id":"q","type":"next","payload":{"data":{"hello":"Ada, Anonymous"}}}"#
    );
    assert_eq!(socket.read().await, r#"{"id":"q","type":"complete"}"#);
    socket.subscribe("m", "mutation { shout }", "null").await;
    assert_eq!(socket.read().await, r#"{"id":"m","type":"next","payload":{"data":{"shout":"HO"}}}"#);
    assert_eq!(socket.read().await, r#"{"id":"m","type":"complete"}"#);
    for number in 1..=3 {
        feed.post("a");
        let expected = format!(
            r#"{{"id":"s","type":"next","payload":{{"data":{{"posts":{{"id":"a-{number}","name":"post a-{number}"}}}},"extensions":{{"cursor":"{number}"}}}}}}"#
        );
        assert_eq!(socket.read().await, expected);
    }
    socket.send(r#"{"id":"s","type":"complete"}"#).await;
    feed.wait_open(0).await;
    // Its id is free again, and nothing of the first comes any more.
    socket.subscribe("s", "{ hello }", "{}").await;
    assert_eq!(
        socket.read().await,
        r#"{"id":"s","type":"next","payload":{"data":{"hello":"you, Anonymous"}}}"#
    );
    assert_eq!(socket.read().await, r#"{"id":"s","type":"complete"}"#);
}

#[tokio::test]
async fn a_lost_socket_ends_its_streams() {
    let (gateway, feed) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", POSTS, r#"{"room":"a"}"#).await;
    socket.subscribe("b", POSTS, r#"{"room":"b"}"#).await;
    feed.wait_open(2).await;
    drop(socket);
    feed.wait_open(0).await;
}

#[tokio::test]
async fn an_operation_that_is_wrong_is_an_error_and_the_socket_goes_on() {
    let (gateway, _) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", "{ nothing }", "{}").await;
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"a","type":"error","payload":[{"message":"Cannot query field \"nothing\" on type \"Query\".","locations":[{"line":1,"column":3}],"extensions":{"code":"BAD_USER_INPUT","reason":"GRAPHQL_VALIDATION_FAILED"}}]}"#);
    socket.subscribe("a", POSTS, "{}").await;
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"a","type":"error","payload":[{"message":"variable `$room` of the required type `String!` was not given","extensions":{"code":"BAD_USER_INPUT","reason":"INVALID_VARIABLES"}}]}"#);
    socket.send(r#"{"id":"a","type":"subscribe","payload":{}}"#).await;
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"a","type":"error","payload":[{"message":"the request has no `query`","extensions":{"code":"BAD_USER_INPUT","reason":"BAD_REQUEST"}}]}"#);
    socket.subscribe("a", "{ hello }", "{}").await;
    assert!(socket.read().await.starts_with(r#"{"id":"a","type":"next""#));
}

#[tokio::test]
async fn pings_are_answered_with_what_they_brought() {
    let (gateway, _) = start().await;
    let mut socket = Socket::open(&gateway.url).await;
    socket.send(r#"{"type":"ping"}"#).await;
    assert_eq!(socket.read().await, r#"{"type":"pong"}"#);
    socket.send(r#"{"type":"pong"}"#).await;
    socket.send(r#"{"type":"ping","payload":{"at":1}}"#).await;
    assert_eq!(socket.read().await, r#"{"type":"pong","payload":{"at":1}}"#);
}

#[tokio::test]
async fn messages_that_the_protocol_does_not_know_close_the_socket() {
    let (gateway, _) = start().await;
    for (message, expected) in [
        ("no json", "close 4400 Invalid message: expected a value at byte 0"),
        ("[]", "close 4400 Invalid message: it is no object"),
        ("{}", "close 4400 Invalid message: it needs a `type`"),
        (r#"{"type":"start"}"#, "close 4400 Invalid message: \"start\" is no type of the protocol"),
        (
            r#"{"type":"subscribe","payload":{"query":"{ hello }"}}"#,
            "close 4400 Invalid message: it needs an `id`",
        ),
        (
            r#"{"id":"a","type":"subscribe"}"#,
            "close 4400 Invalid message: its payload must be an object with a `query`",
        ),
        (
            r#"{"id":"a","type":"subscribe","payload":{"query":1}}"#,
            "close 4400 Invalid message: `query` must be a string, not a number",
        ),
    ] {
        let mut socket = Socket::ready(&gateway.url).await;
        socket.send(message).await;
        assert_eq!(socket.read().await, expected, "{message}");
    }
    let mut socket = Socket::ready(&gateway.url).await;
    socket.send_message(tokio_tungstenite::tungstenite::Message::binary(vec![1, 2])).await;
    assert_eq!(socket.read().await, "close 4400 Invalid message: it must be text");
}

#[tokio::test]
async fn an_operation_comes_after_the_acknowledgement_and_under_an_id_of_its_own() {
    let (gateway, feed) = start().await;
    let mut early = Socket::open(&gateway.url).await;
    early.subscribe("a", "{ hello }", "{}").await;
    assert_eq!(early.read().await, "close 4401 Unauthorized");

    let mut twice = Socket::ready(&gateway.url).await;
    twice.send(r#"{"type":"connection_init"}"#).await;
    assert_eq!(twice.read().await, "close 4429 Too many initialisation requests");

    let mut same = Socket::ready(&gateway.url).await;
    same.subscribe("a", POSTS, r#"{"room":"a"}"#).await;
    feed.wait_open(1).await;
    same.subscribe("a", POSTS, r#"{"room":"a"}"#).await;
    assert_eq!(same.read().await, "close 4409 Subscriber for a already exists");
}

#[tokio::test]
async fn another_subprotocol_is_not_acceptable() {
    let (gateway, _) = start().await;
    let opened = Socket::try_open(&gateway.url, &["sec-websocket-protocol: graphql-ws"]).await;
    // A strict client finds out by itself that its protocol was not chosen.
    if let Ok(mut socket) = opened {
        assert_eq!(
            socket.read().await,
            "close 4406 Subprotocol not acceptable: ask for graphql-transport-ws"
        );
    }
}

#[tokio::test]
async fn a_stop_closes_the_socket_and_says_why() {
    let (gateway, feed) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", POSTS, r#"{"room":"a"}"#).await;
    feed.wait_open(1).await;
    let stopping = tokio::spawn(gateway.stop());
    assert_eq!(socket.read().await, "close 1001 the server is shutting down; connect again");
    drop(socket);
    super::soon(stopping).await.unwrap();
}
