//! A thousand streams over three transports while the supergraph is replaced ten times: none ends, and each has every
//! event once and in order.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use pulse_gateway::{GatewayConfig, GatewayParts};
use tokio::task::JoinSet;

use super::feed::Feed;
use super::socket::Socket;
use super::swaps::{Swaps, room_elsewhere};
use super::{SUPERGRAPH, feed_parts};
use crate::support::gateway::TestGateway;

const ROOMS: usize = 25;
const SWAPS: usize = 10;

/// Streams over each transport, on so many connections.
const SOCKETS: (usize, usize) = (400, 8);
const EVENT_STREAMS: (usize, usize) = (300, 2);
const MULTIPART: (usize, usize) = (300, 2);

/// Every other stream asks for a field whose subgraph changes, so that its source changes with each supergraph.
fn query(stream: usize) -> &'static str {
    if stream.is_multiple_of(2) {
        "subscription($room: String!, $after: String) { posts(room: $room, after: $after) { id } }"
    } else {
        "subscription($room: String!, $after: String) { posts(room: $room, after: $after) { id room } }"
    }
}

fn variables(stream: usize) -> String {
    format!(r#"{{"room":"r{}","after":"0"}}"#, stream % ROOMS)
}

/// The ids of posts in a text, in order.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(r#""posts":{"id":""#).skip(1).map(|rest| rest.split_once('"').unwrap().0)
}

/// What a stream must have heard.
struct Expected {
    room: usize,
    next: usize,
}

impl Expected {
    fn of(stream: usize) -> Self {
        Self { room: stream % ROOMS, next: 1 }
    }

    /// Takes the next event in; whether it was the last.
    fn hears(&mut self, id: &str) -> bool {
        assert_eq!(id, format!("r{}-{}", self.room, self.next));
        self.next += 1;
        self.next > SWAPS
    }
}

/// Reads all streams of a socket to their last event.
async fn read_socket(url: String, streams: std::ops::Range<usize>) {
    let mut socket = Socket::ready(&url).await;
    let mut expected: Vec<_> = streams.clone().map(Expected::of).collect();
    for stream in streams.clone() {
        socket.subscribe(&format!("{stream}"), query(stream), &variables(stream)).await;
    }
    let mut finished = 0;
    while finished < expected.len() {
        let message = socket.read().await;
        assert!(message.contains(r#""type":"next""#), "{message}");
        let stream: usize = message[r#"{"id":""#.len()..].split_once('"').unwrap().0.parse().unwrap();
        for id in ids(&message) {
            finished += usize::from(expected[stream - streams.start].hears(id));
        }
    }
}

type Http2 = Client<HttpConnector, Full<Bytes>>;

/// Reads one stream to its last event.
async fn read_body(client: Http2, url: String, accept: &'static str, stream: usize) {
    let query = serde_json::Value::from(query(stream));
    let body = format!(r#"{{"query":{query},"variables":{}}}"#, variables(stream));
    let request = Request::post(format!("{url}/graphql"))
        .header("content-type", "application/json")
        .header("accept", accept)
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    let mut body = client.request(request).await.unwrap().into_body();
    let mut expected = Expected::of(stream);
    let mut rest = String::new();
    loop {
        let frame = body.frame().await.expect("the stream goes on").unwrap();
        rest.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        // Pieces end where events end, unless the connection cut them.
        let Some(end) = rest.rfind("}}") else { continue };
        let whole: String = rest.drain(..end).collect();
        for id in ids(&whole) {
            if expected.hears(id) {
                return;
            }
        }
    }
}

fn read_all(url: &str) -> JoinSet<()> {
    let mut readers = JoinSet::new();
    let (sockets, connections) = SOCKETS;
    for socket in 0..connections {
        let each = sockets / connections;
        readers.spawn(read_socket(url.to_owned(), socket * each..(socket + 1) * each));
    }
    let mut first = sockets;
    for ((streams, connections), accept) in
        [(EVENT_STREAMS, "text/event-stream"), (MULTIPART, "multipart/mixed;subscriptionSpec=1.0")]
    {
        let client = || Client::builder(TokioExecutor::new()).http2_only(true).build(HttpConnector::new());
        let clients: Vec<Http2> = (0..connections).map(|_| client()).collect();
        for stream in first..first + streams {
            let client = clients[stream % connections].clone();
            readers.spawn(read_body(client, url.to_owned(), accept, stream));
        }
        first += streams;
    }
    assert_eq!(first, 1000);
    readers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_streams_lose_nothing_while_the_supergraph_is_replaced_ten_times() {
    let (feed, swaps) = (Feed::default(), Swaps::new());
    let parts = GatewayParts { source: Arc::new(swaps.clone()), ..feed_parts(&feed) };
    // A machine with much else to do takes its time.
    let config = GatewayConfig { request_timeout: Duration::from_mins(5), ..GatewayConfig::default() };
    let gateway = TestGateway::with(parts, config).await;
    let readers = read_all(&gateway.url);
    // A stream for each room and each of the two documents.
    feed.wait_open(2 * ROOMS).await;
    let supergraphs = [room_elsewhere(), SUPERGRAPH.to_owned()];
    for swap in 0..SWAPS {
        // Posts come before a swap, or while it goes on.
        let offer = || swaps.offer(&supergraphs[swap % supergraphs.len()]);
        if swap % 4 < 2 {
            offer();
        }
        (0..ROOMS).for_each(|room| feed.post(&format!("r{room}")));
        if swap % 4 >= 2 {
            offer();
        }
        swaps.served(&gateway).await;
    }
    readers.join_all().await;
}
