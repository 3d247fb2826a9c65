//! Streams from subgraphs in other processes.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue};
use pulse_gateway::remote::CallerSigner;
use pulse_gateway::{GatewayConfig, GatewayParts, StaticSource, StreamProtocol, SubgraphStreams, Subgraphs};
use pulse_types::Caller;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::feed::Feed;
use super::socket::Socket;
use super::{SUPERGRAPH, configured, soon};
use crate::support::clock;
use crate::support::gateway::{TestGateway, parts};

pub(super) const POSTS: &str = "subscription($room: String!) { posts(room: $room) { id room } }";

/// A gateway whose subgraph `feed` is elsewhere.
pub(super) async fn in_front_of(url: &str, configure: impl FnOnce(&mut GatewayConfig)) -> TestGateway {
    let mut config = GatewayConfig::default();
    configure(&mut config);
    let supergraph = SUPERGRAPH.replace("http://localhost:1/graphql", url);
    let signer: Arc<dyn CallerSigner> = Arc::new(Stamp);
    let parts = GatewayParts {
        subgraphs: Subgraphs::remote(&config, Some(signer), clock()),
        source: Arc::new(StaticSource::new(&supergraph)),
        ..parts()
    };
    TestGateway::with(parts, config).await
}

/// Vouches for everybody.
struct Stamp;

impl CallerSigner for Stamp {
    fn sign(&self, audience: &str, caller: &Arc<Caller>) -> Option<String> {
        Some(format!("{audience}-{:?}", caller.subject))
    }
}

/// Subscribes three times over a gateway, and hears an event each.
async fn three_streams_arrive(inner: &TestGateway, feed: &Feed, protocol: StreamProtocol) {
    let gateway = in_front_of(&format!("{}/graphql", inner.url), |config| {
        config.subscriptions.upstream.protocol = protocol;
    })
    .await;
    let mut socket = Socket::ready(&gateway.url).await;
    for room in ["a", "b", "c"] {
        socket.subscribe(room, POSTS, &format!(r#"{{"room":"{room}"}}"#)).await;
    }
    feed.wait_open(3).await;
    for room in ["a", "b", "c"] {
        feed.post(room);
        let expected = format!(
            r#"{{"id":"{room}","type":"next","payload":{{"data":{{"posts":{{"id":"{room}-1","room":"{room}"}}}},"extensions":{{"cursor":"1"}}}}}}"#
        );
        assert_eq!(socket.read().await, expected);
    }
    socket.send(r#"{"id":"a","type":"complete"}"#).await;
    feed.wait_open(2).await;
    drop(socket);
    feed.wait_open(0).await;
}

#[tokio::test]
async fn one_socket_carries_many_streams() {
    let (inner, feed) = configured(|config| config.subscriptions.socket_limit = 1).await;
    three_streams_arrive(&inner, &feed, StreamProtocol::Websocket).await;
}

#[tokio::test]
async fn a_full_socket_is_followed_by_another() {
    let (inner, feed) = configured(|config| config.subscriptions.socket_limit = 2).await;
    let gateway = in_front_of(&format!("{}/graphql", inner.url), |config| {
        config.subscriptions.upstream.streams_per_socket = 2;
    })
    .await;
    let mut socket = Socket::ready(&gateway.url).await;
    for room in ["a", "b", "c", "d"] {
        socket.subscribe(room, POSTS, &format!(r#"{{"room":"{room}"}}"#)).await;
    }
    feed.wait_open(4).await;
}

#[tokio::test]
async fn server_sent_events_arrive_too() {
    let (inner, feed) = configured(|_| {}).await;
    three_streams_arrive(&inner, &feed, StreamProtocol::Sse).await;
}

#[tokio::test]
async fn a_subgraph_may_stream_elsewhere_and_otherwise_than_the_others() {
    let (inner, feed) = configured(|_| {}).await;
    let gateway = in_front_of("http://localhost:1/graphql", |config| {
        let url = format!("{}/graphql", inner.url.replace("http", "ws"));
        let own = SubgraphStreams { protocol: Some(StreamProtocol::Sse), url };
        config.subscriptions.upstream.subgraphs.insert("feed".to_owned(), own);
    })
    .await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    feed.wait_open(1).await;
    feed.post("a");
    assert!(socket.read().await.contains("a-1"));
}

#[tokio::test]
async fn a_subgraph_that_is_not_there_is_an_error() {
    let url = crate::support::fake_server::FakeServer::dead_url().await;
    let gateway = in_front_of(&url, |_| {}).await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    assert!(socket.read().await.contains("UNAVAILABLE"));
    assert_eq!(socket.read().await, r#"{"id":"s","type":"complete"}"#);
}

type Server = WebSocketStream<TcpStream>;

/// A socket that a gateway opened at a subgraph, after its acknowledgement.
pub(super) struct Accepted {
    pub(super) socket: Server,
    head: HeaderMap,
    /// The message that came first.
    pub(super) init: String,
}

impl Accepted {
    /// A header of the request that opened it.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name).map(|value| value.to_str().unwrap())
    }
}

/// A subgraph's sockets.
pub(super) struct FakeSockets {
    pub(super) url: String,
    accepted: mpsc::UnboundedReceiver<Accepted>,
}

impl FakeSockets {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let (sender, accepted) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                sender.send(accept(stream).await).unwrap();
            }
        });
        Self { url, accepted }
    }

    pub(super) async fn next(&mut self) -> Accepted {
        soon(self.accepted.recv()).await.unwrap()
    }
}

#[expect(clippy::result_large_err, reason = "the library wants it so")]
async fn accept(stream: TcpStream) -> Accepted {
    let mut head = HeaderMap::new();
    let agree = |request: &Request, mut response: Response| {
        head = request.headers().clone();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        response.headers_mut().insert("sec-websocket-protocol", protocol);
        Ok(response)
    };
    let mut socket = accept_hdr_async(stream, agree).await.unwrap();
    let init = text(&mut socket).await;
    socket.send(Message::text(r#"{"type":"connection_ack"}"#)).await.unwrap();
    Accepted { socket, head, init }
}

pub(super) async fn text(socket: &mut Server) -> String {
    loop {
        if let Message::Text(text) = soon(socket.next()).await.unwrap().unwrap() {
            return text.to_string();
        }
    }
}

#[tokio::test]
async fn each_subscribe_message_says_whose_it_is() {
    let mut subgraph = FakeSockets::start().await;
    let gateway = in_front_of(&subgraph.url, |_| {}).await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    let Accepted { socket: mut server, init, .. } = subgraph.next().await;
    assert_eq!(init, r#"{"type":"connection_init"}"#);
    let subscribe = text(&mut server).await;
    assert!(subscribe.starts_with(r#"{"id":"1","type":"subscribe","payload":{"query":"#), "{subscribe}");
    assert!(subscribe.contains(r#""extensions":{"pulseCaller":"feed-Anonymous"}"#), "{subscribe}");
    let next = r#"{"id":"1","type":"next","payload":{"data":null,"errors":[{"message":"no room"}]}}"#;
    server.send(Message::text(next)).await.unwrap();
    let told = socket.read().await;
    assert!(told.starts_with(r#"{"id":"s","type":"next","payload":{"data":{"posts":null}"#), "{told}");
    server.send(Message::text(r#"{"id":"1","type":"complete"}"#)).await.unwrap();
    assert_eq!(socket.read().await, r#"{"id":"s","type":"complete"}"#);
}

#[tokio::test]
async fn a_socket_that_breaks_is_opened_again_behind_the_last_cursor() {
    let mut subgraph = FakeSockets::start().await;
    let gateway = in_front_of(&subgraph.url, |_| {}).await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    let event = |id: &str, cursor: &str| {
        let data = format!(r#"{{"posts":{{"id":"{id}","room":"a"}}}}"#);
        let extensions = format!(r#"{{"cursor":"{cursor}"}}"#);
        let payload = format!(r#"{{"data":{data},"extensions":{extensions}}}"#);
        Message::text(format!(r#"{{"id":"1","type":"next","payload":{payload}}}"#))
    };
    let mut server = subgraph.next().await.socket;
    text(&mut server).await;
    server.send(event("a-1", "one")).await.unwrap();
    assert!(socket.read().await.contains("a-1"));
    drop(server);
    let mut server = subgraph.next().await.socket;
    let again = text(&mut server).await;
    assert!(again.contains(r#""pulseAfter":"one""#), "{again}");
    server.send(event("a-2", "two")).await.unwrap();
    assert!(socket.read().await.contains("a-2"));
}

#[tokio::test]
async fn a_stream_without_a_cursor_ends_with_its_socket() {
    let mut subgraph = FakeSockets::start().await;
    let gateway = in_front_of(&subgraph.url, |_| {}).await;
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    let mut server = subgraph.next().await.socket;
    text(&mut server).await;
    drop(server);
    assert!(socket.read().await.contains("UNAVAILABLE"));
    assert_eq!(socket.read().await, r#"{"id":"s","type":"complete"}"#);
}
