//! What a socket may not do, or not for long.

use std::time::Duration;

use bytesize::ByteSize;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::socket::Socket;
use super::{configured, start};

const POSTS: &str = r#"subscription { posts(room: "lobby") { id } }"#;

#[tokio::test]
async fn a_client_that_does_not_begin_is_closed() {
    let short = Duration::from_millis(30);
    let (gateway, _) = configured(|config| config.subscriptions.connection_init_timeout = short).await;
    let mut socket = Socket::open(&gateway.url).await;
    assert_eq!(socket.read().await, "close 4408 Connection initialisation timeout");
}

#[tokio::test]
async fn operations_over_the_limit_are_refused_one_by_one() {
    let (gateway, feed) = configured(|config| config.subscriptions.operations_per_connection = 1).await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", POSTS, "{}").await;
    feed.wait_open(1).await;
    socket.subscribe("b", POSTS, "{}").await;
    insta::assert_snapshot!(socket.read().await, @r#"{"id":"b","type":"error","payload":[{"message":"this connection has 1 operations under way, which is the limit","extensions":{"code":"RATE_LIMITED","reason":"TOO_MANY_OPERATIONS"}}]}"#);
    socket.send(r#"{"id":"a","type":"complete"}"#).await;
    socket.subscribe("b", "{ hello }", "{}").await;
    assert!(socket.read().await.starts_with(r#"{"id":"b","type":"next""#));
}

#[tokio::test]
async fn streams_over_the_limit_of_all_are_refused() {
    let (gateway, feed) = configured(|config| config.subscriptions.stream_limit = 1).await;
    let mut first = Socket::ready(&gateway.url).await;
    first.subscribe("a", POSTS, "{}").await;
    feed.wait_open(1).await;
    let mut second = Socket::ready(&gateway.url).await;
    second.subscribe("a", POSTS, "{}").await;
    insta::assert_snapshot!(second.read().await, @r#"{"id":"a","type":"error","payload":[{"message":"there are too many streams just now; try again later","extensions":{"code":"UNAVAILABLE","reason":"TOO_MANY_STREAMS"}}]}"#);
}

#[tokio::test]
async fn sockets_over_the_limit_are_refused() {
    let (gateway, _) = configured(|config| config.subscriptions.socket_limit = 1).await;
    let _first = Socket::ready(&gateway.url).await;
    match Socket::try_open(&gateway.url, &[]).await.err() {
        Some(Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_message_over_the_limit_closes_the_socket() {
    let (gateway, _) = configured(|config| config.subscriptions.message_limit = ByteSize::b(500)).await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("a", &format!("{{ hello }} # {}", "x".repeat(1000)), "{}").await;
    assert_eq!(socket.read().await, "close 1009 a message may have 500 bytes");
}

#[tokio::test]
async fn a_silent_socket_is_asked_whether_it_lives_and_closed_when_it_does_not() {
    let short = Duration::from_millis(30);
    let (gateway, _) = configured(|config| config.subscriptions.keep_alive = short).await;
    let mut alive = Socket::ready(&gateway.url).await;
    for _ in 0..5 {
        // Reading answers the ping.
        assert!(matches!(alive.frame().await, Some(Message::Ping(_))));
    }
    alive.subscribe("a", "{ hello }", "{}").await;
    assert!(alive.read().await.starts_with(r#"{"id":"a","type":"next""#));
}

#[tokio::test]
async fn a_foreign_page_may_not_use_its_visitors_cookies() {
    let (gateway, _) = start().await;
    let headers = ["origin: https://evil.example", "cookie: session=1"];
    match Socket::try_open(&gateway.url, &headers).await.err() {
        Some(Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("{other:?}"),
    }
    let own = format!("origin: {}", gateway.url);
    assert!(Socket::try_open(&gateway.url, &[&own, "cookie: session=1"]).await.is_ok());
    assert!(Socket::try_open(&gateway.url, &["origin: https://other.example"]).await.is_ok());
}
