//! Supergraphs behind a URL: what is asked, what is kept, and what is said when it fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytesize::ByteSize;
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use pulse_gateway::ports::SupergraphSource;
use pulse_gateway::{GatewayConfig, Subgraphs, SupergraphConfig, UrlSource};
use pulse_types::Secret;
use tokio::net::TcpListener;

use crate::support::fake_server::{Behaviour, FakeServer};
use crate::support::gateway::{Parrot, SUPERGRAPH, TestGateway, parts};

/// What a server of supergraphs answers next, and what it was asked.
#[derive(Clone, Default)]
struct Registry {
    answer: Arc<Mutex<(u16, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Registry {
    async fn start(status: u16, sdl: &str) -> (Self, String) {
        let registry = Self::default();
        registry.answer(status, sdl);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/supergraph", listener.local_addr().unwrap());
        let router = Router::new()
            .route("/supergraph", axum::routing::get(Self::serve))
            .route("/moved", axum::routing::get(async || axum::response::Redirect::temporary("/supergraph")))
            .with_state(registry.clone());
        tokio::spawn(axum::serve(listener, router).into_future());
        (registry, url)
    }

    fn answer(&self, status: u16, sdl: &str) {
        *self.answer.lock().unwrap() = (status, sdl.to_owned());
    }

    #[expect(clippy::unused_async, reason = "a handler is async")]
    async fn serve(State(registry): State<Self>, headers: HeaderMap) -> Response {
        let (status, sdl) = registry.answer.lock().unwrap().clone();
        let etag = format!("\"{}\"", sdl.len());
        let header = |name: &str| headers.get(name).map_or("none", |value| value.to_str().unwrap());
        let known = header("if-none-match");
        let asked = format!("authorization {} if-none-match {known}", header("authorization"));
        registry.asked.lock().unwrap().push(asked);
        if known == etag && status == 200 {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        (StatusCode::from_u16(status).unwrap(), [("etag", etag)], sdl).into_response()
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn config() -> SupergraphConfig {
    SupergraphConfig {
        poll_interval: Duration::from_millis(5),
        timeout: Duration::from_millis(300),
        start_timeout: Duration::from_millis(100),
        max_backoff: Duration::from_millis(20),
        size_limit: ByteSize::kb(10),
        authorization: Secret::new("Bearer abc"),
        ..SupergraphConfig::default()
    }
}

fn source(url: &str) -> UrlSource {
    UrlSource::try_new(url, &config()).unwrap()
}

#[tokio::test]
async fn a_url_is_asked_with_the_version_at_hand_and_the_configured_credential() {
    let (registry, url) = Registry::start(200, "type Query { a: Int }").await;
    let source = source(&url);
    assert_eq!(source.current().await.unwrap().sdl, "type Query { a: Int }");
    let mut changes = source.changes();
    let change = tokio::spawn(async move { changes.next().await.unwrap() });
    while registry.asked().len() < 3 {
        tokio::task::yield_now().await;
    }
    registry.answer(200, "type Query { a: Int b: Int }");
    assert_eq!(change.await.unwrap().sdl, "type Query { a: Int b: Int }");
    let asked = registry.asked();
    assert_eq!(asked[0], "authorization Bearer abc if-none-match none");
    assert!(
        asked[1..].iter().all(|asked| asked == "authorization Bearer abc if-none-match \"21\""),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_redirect_is_followed() {
    let (_, url) = Registry::start(200, "type Query { a: Int }").await;
    let moved = url.replace("/supergraph", "/moved");
    assert_eq!(source(&moved).current().await.unwrap().sdl, "type Query { a: Int }");
}

#[tokio::test]
async fn each_way_to_fail_is_told_with_what_to_do() {
    let mut failures = Vec::new();
    let mut fail = async |url: &str| {
        let error = source(url).current().await.unwrap_err().to_string();
        let error = error.replace(url.trim_end_matches("/graphql").trim_end_matches("/supergraph"), "URL");
        let error = error.split(" (os error").next().unwrap();
        // How often it was tried depends on the machine.
        let tried = error.split(", tried ").collect::<Vec<_>>();
        failures.push(format!("{}: {}", tried[0], tried[1].split_once(": ").unwrap().1));
    };
    for status in [401, 404, 503] {
        fail(&Registry::start(status, "").await.1).await;
    }
    fail(&Registry::start(200, "").await.1).await;
    fail(&Registry::start(200, &"x".repeat(20_000)).await.1).await;
    fail(&FakeServer::dead_url().await).await;
    fail(&FakeServer::start(Behaviour::Silence).await.url).await;
    fail(&FakeServer::answering("200 OK", "text/html; charset=utf-8", b"<html>").await.url).await;
    fail(&FakeServer::answering("200 OK", "text/plain", b"\xff").await.url).await;
    insta::assert_snapshot!(failures.join("\n"), @"
    the supergraph cannot be fetched from URL/supergraph: it answered with HTTP status 401; check gateway.supergraph.authorization
    the supergraph cannot be fetched from URL/supergraph: it answered with HTTP status 404; check the URL
    the supergraph cannot be fetched from URL/supergraph: it answered with HTTP status 503
    the supergraph cannot be fetched from URL/supergraph: it answered with an empty body
    the supergraph cannot be fetched from URL/supergraph: it answered with more than 10000 bytes; gateway.supergraph.size_limit allows no more
    the supergraph cannot be fetched from URL/graphql: Connection refused
    the supergraph cannot be fetched from URL/graphql: it did not answer within 300 ms
    the supergraph cannot be fetched from URL/graphql: it answered with a web page instead of a supergraph
    the supergraph cannot be fetched from URL/graphql: it answered with a body that is not UTF-8
    ");
}

#[tokio::test]
async fn what_is_no_url_is_refused_and_credentials_in_it_are_not_repeated() {
    let refusal = |url: &str| UrlSource::try_new(url, &config()).err().unwrap().to_string();
    let refusals = [refusal("supergraph.graphql"), refusal("ftp://x/y"), refusal("https://me:secret@x/y")];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    "supergraph.graphql" is no URL of a supergraph; write it like https://registry.example.com/supergraph.graphql
    "ftp://x/y" is no URL of a supergraph; write it like https://registry.example.com/supergraph.graphql
    the URL "https://…@x/y" has a credential in it: set that as gateway.supergraph.authorization instead
    "#);
}

#[tokio::test]
async fn a_url_that_fails_while_the_gateway_serves_changes_nothing() {
    let (registry, url) = Registry::start(200, SUPERGRAPH).await;
    let gateway = TestGateway::with(
        pulse_gateway::GatewayParts { source: Arc::new(source(&url)), ..parts() },
        GatewayConfig::default(),
    )
    .await;
    registry.answer(500, "");
    let before = registry.asked().len();
    while registry.asked().len() < before + 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);

    // A version that cannot be served is refused and told; the next good one is served.
    registry.answer(200, "type Query {");
    wait_for(&gateway, "was refused").await;
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);
    let version = gateway.gateway.supergraph_version();
    registry.answer(200, &format!("{SUPERGRAPH}\n# the next"));
    while gateway.gateway.supergraph_version() == version {
        tokio::task::yield_now().await;
    }
    let ready = gateway.get("/health/ready", &[]).await;
    assert!(!ready.text().contains("refused"), "{}", ready.text());
}

async fn wait_for(gateway: &TestGateway, text: &str) {
    while !gateway.get("/health/ready", &[]).await.text().contains(text) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn the_last_supergraph_that_was_served_is_kept_for_a_start_without_the_url() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept/supergraph.graphql");
    let config = SupergraphConfig { cache_file: kept.display().to_string(), ..config() };
    let (registry, url) = Registry::start(200, SUPERGRAPH).await;
    let start = async || {
        let source = UrlSource::try_new(&url, &config).unwrap();
        let parts = pulse_gateway::GatewayParts {
            source: Arc::new(source),
            subgraphs: Subgraphs::Fixed(vec![Arc::new(Parrot)]),
            ..parts()
        };
        pulse_gateway::Gateway::init(parts, GatewayConfig::default()).await
    };
    let version = start().await.unwrap().supergraph_version();
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), SUPERGRAPH);
    registry.answer(503, "");
    assert_eq!(start().await.unwrap().supergraph_version(), version);
    std::fs::remove_file(&kept).unwrap();
    let error = start().await.err().unwrap().to_string();
    assert!(error.contains("HTTP status 503; and none was kept in"), "{error}");
}
