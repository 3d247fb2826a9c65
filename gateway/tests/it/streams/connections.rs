//! The bytes of a connection over which events are sent.

use std::time::Duration;

use pulse_gateway::StreamFilter;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::feed::Feed;
use super::{configured, soon};
use crate::support::gateway::TestGateway;

const POSTS: &str = r#"{"query":"subscription { posts(room: \"lobby\") { id } }"}"#;
const HELLO: &str = r#"{"query":"{ hello }"}"#;

/// A gateway that says nothing to keep a connection alive.
async fn start() -> (TestGateway, Feed) {
    configured(|config| config.subscriptions.keep_alive = Duration::from_hours(1)).await
}

/// A connection of its own, and what was read of it.
struct Line(TcpStream, String);

impl Line {
    async fn open(gateway: &TestGateway) -> Self {
        let address = gateway.url.strip_prefix("http://").unwrap();
        Self(TcpStream::connect(address).await.unwrap(), String::new())
    }

    async fn ask(&mut self, version: &str, body: &str) {
        let head = "Host: a\r\nAccept: text/event-stream\r\nContent-Type: application/json";
        let length = body.len();
        let request = format!("POST /graphql {version}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}");
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    /// What comes up to and with the next `end`.
    async fn until(&mut self, end: &str) -> String {
        loop {
            if let Some(at) = self.1.find(end) {
                let rest = self.1.split_off(at + end.len());
                return std::mem::replace(&mut self.1, rest);
            }
            let mut bytes = [0; 1024];
            let count = soon(self.0.read(&mut bytes)).await.unwrap();
            assert!(count > 0, "the connection ended behind {:?}", self.1);
            self.1.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
    }

    /// What is left until the server closes.
    async fn rest(mut self) -> String {
        soon(self.0.read_to_string(&mut self.1)).await.unwrap();
        self.1
    }
}

#[tokio::test]
async fn a_stream_says_that_its_connection_ends_with_it_and_does_so() {
    let (gateway, feed) = start().await;
    let mut line = Line::open(&gateway).await;
    line.ask("HTTP/1.1", POSTS).await;
    let head = line.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(
        head.contains("connection: close\r\n") && head.contains("transfer-encoding: chunked\r\n"),
        "{head}"
    );
    assert_eq!(line.until("\n\n\r\n").await, "3\r\n:\n\n\r\n");
    // What a client has no business to say changes nothing.
    line.ask("HTTP/1.1", HELLO).await;
    feed.wait_open(1).await;
    feed.post("lobby");
    let event = "id: 1\nevent: next\ndata: {\"data\":{\"posts\":{\"id\":\"lobby-1\"}},\"extensions\":{\"cursor\":\"1\"}}\n\n";
    assert_eq!(line.until("\n\n\r\n").await, format!("{:X}\r\n{event}\r\n", event.len()));
    assert_eq!(gateway.gateway.streams().end(&StreamFilter::default(), "enough"), 1);
    let rest = line.rest().await;
    assert!(rest.contains("enough") && rest.ends_with("event: complete\ndata: \n\n\r\n0\r\n\r\n"), "{rest}");
}

#[tokio::test]
async fn a_client_without_chunks_reads_until_the_end() {
    let (gateway, feed) = start().await;
    let mut line = Line::open(&gateway).await;
    line.ask("HTTP/1.0", POSTS).await;
    let head = line.until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n") && !head.contains("transfer-encoding"), "{head}");
    assert_eq!(line.until("\n\n").await, ":\n\n");
    feed.wait_open(1).await;
    feed.post("lobby");
    assert!(line.until("\n\n").await.starts_with("id: 1\nevent: next\ndata: {"));
    assert_eq!(gateway.gateway.streams().end(&StreamFilter::default(), "enough"), 1);
    assert!(line.rest().await.ends_with("event: complete\ndata: \n\n"));
}

#[tokio::test]
async fn an_answer_by_events_that_is_whole_leaves_the_connection_open() {
    let (gateway, _feed) = start().await;
    let mut line = Line::open(&gateway).await;
    for _ in 0..2 {
        line.ask("HTTP/1.1", HELLO).await;
        let head = line.until("\r\n\r\n").await;
        assert!(head.contains("content-type: text/event-stream") && !head.contains("connection:"), "{head}");
        assert!(line.until("0\r\n\r\n").await.contains("event: complete"));
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_is_noticed() {
    let (gateway, feed) = start().await;
    let mut line = Line::open(&gateway).await;
    line.ask("HTTP/1.1", POSTS).await;
    line.until("\n\n\r\n").await;
    feed.wait_open(1).await;
    drop(line);
    feed.wait_open(0).await;
}
