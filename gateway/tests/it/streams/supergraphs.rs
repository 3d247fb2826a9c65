//! Streams go on while the supergraph is replaced.

use pulse_gateway::{GatewayConfig, GatewayParts};
use std::sync::Arc;

use super::feed::Feed;
use super::feed_parts;
use super::socket::Socket;
use super::swaps::{Swaps, room_elsewhere};
use crate::support::gateway::TestGateway;

async fn start() -> (TestGateway, Feed, Swaps) {
    let (feed, swaps) = (Feed::default(), Swaps::new());
    let parts = GatewayParts { source: Arc::new(swaps.clone()), ..feed_parts(&feed) };
    (TestGateway::with(parts, GatewayConfig::default()).await, feed, swaps)
}

#[tokio::test]
async fn an_unchanged_source_is_kept_and_the_rest_of_the_plan_changes() {
    let (gateway, feed, swaps) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    let query = r"subscription($room: String!) { posts(room: $room) { id name } }";
    socket.subscribe("s", query, r#"{"room":"a"}"#).await;
    feed.wait_open(1).await;
    feed.post("a");
    assert!(socket.read().await.contains(r#""name":"post a-1""#));
    swaps.offer(&room_elsewhere());
    swaps.served(&gateway).await;
    feed.post("a");
    assert!(socket.read().await.contains(r#""name":"post a-2""#));
    assert_eq!(feed.opened().len(), 1, "{:?}", feed.opened());
}

#[tokio::test]
async fn a_changed_source_goes_on_behind_the_last_cursor() {
    let (gateway, feed, swaps) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    let query = r"subscription($room: String!) { posts(room: $room) { id room } }";
    socket.subscribe("s", query, r#"{"room":"a"}"#).await;
    feed.wait_open(1).await;
    feed.post("a");
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"s","type":"next","payload":{"data":{"posts":{"id":"a-1","room":"a"}},"extensions":{"cursor":"1"}}}"#);
    swaps.offer(&room_elsewhere());
    swaps.served(&gateway).await;
    let opened = super::soon(async {
        loop {
            let opened = feed.opened();
            if opened.len() == 2 {
                break opened;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
    feed.post("a");
    feed.post("a");
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"s","type":"next","payload":{"data":{"posts":{"id":"a-2","room":"a"}},"extensions":{"cursor":"2"}}}"#);
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"s","type":"next","payload":{"data":{"posts":{"id":"a-3","room":"a"}},"extensions":{"cursor":"3"}}}"#);
    let opened: Vec<_> =
        opened.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!(opened.join("\n"), @r#"
    subscription($room:String!){posts(room: $room){id room}} {"room":"a"}
    subscription Resumed($room: String!$pulseAfter: String) { posts(room: $room, after: $pulseAfter) { __typename id } } {"room":"a","pulseAfter":"1"}
    "#);
    // The old one is closed.
    feed.wait_open(1).await;
}

#[tokio::test]
async fn a_changed_source_without_cursors_says_that_something_may_be_missing() {
    let (gateway, feed, swaps) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", r#"subscription { plain(room: "lobby") { id room } }"#, "{}").await;
    feed.wait_open(1).await;
    swaps.offer(&room_elsewhere());
    swaps.served(&gateway).await;
    super::soon(async {
        while feed.opened().len() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    feed.wait_open(1).await;
    feed.post("lobby");
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"s","type":"next","payload":{"data":{"plain":{"id":"lobby-1","room":"lobby"}},"extensions":{"gap":{"possible":true,"reason":"SUPERGRAPH_CHANGED"}}}}"#);
    feed.post("lobby");
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"s","type":"next","payload":{"data":{"plain":{"id":"lobby-2","room":"lobby"}}}}"#);
}

#[tokio::test]
async fn only_an_operation_that_is_no_longer_valid_ends_and_says_why() {
    let (gateway, feed, swaps) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("lost", r#"subscription { plain(room: "lobby") { id name } }"#, "{}").await;
    socket.subscribe("kept", r#"subscription { plain(room: "lobby") { id } }"#, "{}").await;
    feed.wait_open(2).await;
    let without = super::SUPERGRAPH
        .replace("name: String @join__field(graph: NAMES)", "title: String @join__field(graph: NAMES)");
    swaps.offer(&without);
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"lost","type":"error","payload":[{"message":"the API has changed, and this subscription is no longer valid: Cannot query field \"name\" on type \"Post\".","locations":[{"line":1,"column":42}],"extensions":{"code":"BAD_USER_INPUT","reason":"SUPERGRAPH_CHANGED"}}]}"#);
    feed.wait_open(1).await;
    feed.post("lobby");
    assert!(socket.read().await.starts_with(r#"{"id":"kept","type":"next""#));
}

#[tokio::test]
async fn a_supergraph_that_does_not_load_changes_nothing() {
    let (gateway, feed, swaps) = start().await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", r#"subscription { posts(room: "lobby") { id room } }"#, "{}").await;
    feed.wait_open(1).await;
    swaps.offer("this is no supergraph");
    swaps.offer(super::SUPERGRAPH);
    swaps.served(&gateway).await;
    feed.post("lobby");
    assert!(socket.read().await.contains(r#""id":"lobby-1""#));
    assert_eq!(feed.opened().len(), 1);
}
