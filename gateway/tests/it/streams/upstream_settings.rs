//! Streams from subgraphs in other processes go by the settings of the subgraph: its certificates and its header rules.

use pulse_gateway::{ClientCertificates, GatewayConfig, StreamProtocol, SubgraphConfig};

use super::feed::Feed;
use super::socket::Socket;
use super::upstream::{FakeSockets, POSTS, in_front_of, text};
use super::{configured, soon};
use crate::support::authority::Authority;
use crate::support::gateway::TestGateway;
use crate::support::scripted_server::{ScriptedServer, response};

const BOTH: [StreamProtocol; 2] = [StreamProtocol::Websocket, StreamProtocol::Sse];

/// The settings `[gateway.subgraphs.feed]`.
fn of_feed(config: &mut GatewayConfig, settings: &str) {
    let own: SubgraphConfig = toml::from_str(settings).unwrap();
    config.subgraphs.insert("feed".to_owned(), own);
}

/// The settings by which the feed, and it alone, is reached over TLS.
fn tls_of(authority: &Authority, (certificate, key): &(std::path::PathBuf, std::path::PathBuf)) -> String {
    let ca = authority.path("ca.pem");
    format!(
        "[tls]\nca_file = '{}'\ncertificate_file = '{}'\nkey_file = '{}'\n",
        ca.display(),
        certificate.display(),
        key.display()
    )
}

/// The first thing that a subscriber hears, once somebody has posted.
async fn heard(gateway: &TestGateway, feed: &Feed) -> String {
    let mut socket = Socket::ready(&gateway.url).await;
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    let heard = socket.read();
    tokio::pin!(heard);
    loop {
        tokio::select! {
            heard = &mut heard => return heard,
            () = feed.wait_open(1) => feed.post("a"),
        }
    }
}

#[tokio::test]
async fn a_stream_shows_the_certificate_of_its_subgraph_and_trusts_its_authority() {
    for protocol in BOTH {
        let (authority, other) = (Authority::new(), Authority::new());
        let tls = authority.server(ClientCertificates::Required);
        let (inner, feed) = configured(|config| config.tls = tls).await;
        let url = format!("{}/graphql", inner.url.replace("http://127.0.0.1", "https://localhost"));
        let gateway = async |settings: String| {
            in_front_of(&url, |config| {
                config.subscriptions.upstream.protocol = protocol;
                of_feed(config, &settings);
            })
            .await
        };
        let shown = tls_of(&authority, &authority.sign("client", "gateway"));
        assert!(heard(&gateway(shown).await, &feed).await.contains("a-1"), "{protocol:?}");
        let foreign = tls_of(&authority, &other.sign("client", "gateway"));
        let untrusted = tls_of(&other, &authority.sign("client", "gateway"));
        for settings in [foreign, untrusted, String::new()] {
            let heard = heard(&gateway(settings).await, &feed).await;
            assert!(heard.contains("UNAVAILABLE"), "{protocol:?}: {heard}");
        }
    }
}

/// A header for everybody, and one for the feed alone.
fn with_rules(config: &mut GatewayConfig) {
    config.remote.headers.request = toml::from_str::<pulse_gateway::HeadersConfig>(
        "request = [{ propagate = \"x-room-key\" }, { propagate = \"x-secret\" }]",
    )
    .unwrap()
    .request;
    of_feed(
        config,
        "headers.request = [{ insert = \"x-for\", from = \"subgraph\" }, { remove = \"x-secret\" }]",
    );
}

async fn subscriber(gateway: &TestGateway, key: &str) -> Socket {
    let headers = [&*format!("x-room-key: {key}"), "x-secret: hush", "x-other: other"];
    let mut socket = Socket::try_open(&gateway.url, &headers).await.unwrap();
    socket.send(r#"{"type":"connection_init"}"#).await;
    assert_eq!(socket.read().await, r#"{"type":"connection_ack"}"#);
    socket.subscribe("s", POSTS, r#"{"room":"a"}"#).await;
    socket
}

#[tokio::test]
async fn a_socket_is_opened_with_the_headers_of_the_rules_and_carries_those_who_have_the_same() {
    let mut subgraph = FakeSockets::start().await;
    let gateway = in_front_of(&subgraph.url, with_rules).await;
    let _first = subscriber(&gateway, "one").await;
    let mut one = subgraph.next().await;
    assert_eq!(one.header("x-room-key"), Some("one"));
    assert_eq!(one.header("x-for"), Some("feed"));
    assert_eq!((one.header("x-secret"), one.header("x-other")), (None, None));
    assert_eq!(
        one.init, r#"{"type":"connection_init","payload":{"x-room-key":"one","x-for":"feed"}}"#,
        "servers that look for them there find them too"
    );
    text(&mut one.socket).await;
    let _second = subscriber(&gateway, "two").await;
    let two = subgraph.next().await;
    assert_eq!(two.header("x-room-key"), Some("two"));
}

#[tokio::test]
async fn a_request_for_events_carries_the_headers_of_the_rules() {
    let events = "event: complete\ndata:\n\n";
    let server = ScriptedServer::always(vec![response(
        "200 OK",
        &["content-type: text/event-stream"],
        events.as_bytes(),
    )])
    .await;
    let gateway = in_front_of(&server.url, |config| {
        config.subscriptions.upstream.protocol = StreamProtocol::Sse;
        with_rules(config);
    })
    .await;
    let mut socket = subscriber(&gateway, "one").await;
    assert_eq!(socket.read().await, r#"{"id":"s","type":"complete"}"#);
    soon(server.asked(1)).await;
    let request = &server.requests()[0];
    for line in ["x-room-key: one\r\n", "x-for: feed\r\n", "accept: text/event-stream\r\n"] {
        assert!(request.contains(line), "{line} is not in {request}");
    }
    assert!(!request.contains("hush") && !request.contains("x-other"), "{request}");
}
