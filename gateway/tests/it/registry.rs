//! A gateway that follows a schema registry, and tells it what clients use.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use futures::StreamExt;
use http::{HeaderMap, Method, StatusCode};
use pulse_gateway::ports::SupergraphSource;
use pulse_gateway::{GatewayConfig, GatewayParts, SupergraphConfig, UrlSource, UsageConfig};
use pulse_types::Secret;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::support::gateway::{SUPERGRAPH, TestGateway, parts};

const OLD: &str = "type Query { a: Int }";
const NEW: &str = "type Query { a: Int b: Int }";

/// A registry that waits for a new version when it is asked to, and signs for `signed_for`.
#[derive(Clone)]
struct Registry {
    served: watch::Sender<&'static str>,
    signed_for: Option<&'static str>,
    asked: Arc<Mutex<Vec<String>>>,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> String {
    STANDARD.encode(key(seed).verifying_key().as_bytes())
}

impl Registry {
    async fn start(signed_for: Option<&'static str>) -> (Self, String) {
        let registry = Self { served: watch::Sender::new(OLD), signed_for, asked: Arc::default() };
        let router = Router::new().route("/supergraph", get(Self::serve)).with_state(registry.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/supergraph", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, router).into_future());
        (registry, url)
    }

    async fn serve(State(registry): State<Self>, headers: HeaderMap) -> Response {
        let header = |name: &str| headers.get(name).map_or("none", |value| value.to_str().unwrap());
        registry.asked.lock().unwrap().push(format!("{} {}", header("prefer"), header("if-none-match")));
        let known = header("if-none-match").to_owned();
        let mut served = registry.served.subscribe();
        let sdl = *served.wait_for(|sdl| etag(sdl) != known).await.unwrap();
        let hash = Sha256::digest(sdl).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let mut response =
            ([("etag", etag(sdl)), ("preference-applied", "wait".to_owned())], sdl).into_response();
        if let Some(place) = registry.signed_for {
            let signature = key(1).sign(format!("pulse-supergraph-1\n{place}\n{hash}").as_bytes());
            let text = STANDARD.encode(signature.to_bytes());
            response.headers_mut().insert("pulse-signature", text.parse().unwrap());
        }
        response
    }
}

fn etag(sdl: &str) -> String {
    format!("\"{}\"", sdl.len())
}

fn config() -> SupergraphConfig {
    SupergraphConfig {
        poll_interval: Duration::from_hours(1),
        start_timeout: Duration::ZERO,
        ..SupergraphConfig::default()
    }
}

#[tokio::test]
async fn a_registry_that_waits_is_asked_at_once_again() {
    let (registry, url) = Registry::start(None).await;
    let source = UrlSource::try_new(&url, &config()).unwrap();
    assert_eq!(source.current().await.unwrap().sdl, OLD);
    let mut changes = source.changes();
    let change = tokio::spawn(async move { changes.next().await.unwrap().sdl });
    while registry.asked.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    registry.served.send_replace(NEW);
    assert_eq!(change.await.unwrap(), NEW);
    assert_eq!(*registry.asked.lock().unwrap(), ["wait=30 none", "wait=30 \"21\""]);
}

#[tokio::test]
async fn a_supergraph_is_taken_only_with_the_signature_that_it_must_have() {
    let fetched = async |signed_for: Option<&'static str>, keys: &[String]| {
        let (_, url) = Registry::start(signed_for).await;
        let config = SupergraphConfig { signature_keys: keys.to_vec(), ..config() };
        UrlSource::try_new(&url, &config).unwrap().current().await.map_err(|error| error.to_string())
    };
    let (good, other) = (Some("production/current"), Some("staging/current"));
    assert!(fetched(good, &[public(1)]).await.is_ok());
    assert!(fetched(good, &[public(2), public(1)]).await.is_ok(), "one of them is enough");
    assert!(fetched(None, &[]).await.is_ok(), "nothing is asked for");
    for (signed_for, keys, why) in [
        (good, [public(2)], "it is not signed for production/current by one of"),
        (other, [public(1)], "it is not signed for production/current by one of"),
        (None, [public(1)], "its answer has no signature (pulse-signature)"),
    ] {
        let refused = fetched(signed_for, &keys).await.unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    let config = SupergraphConfig { signature_keys: vec!["no key".to_owned()], ..config() };
    let error = UrlSource::try_new("http://localhost/", &config).err().unwrap();
    assert!(error.to_string().contains("\"no key\" is no public key"), "{error}");
}

/// A registry that takes what gateways tell.
async fn told(status: StatusCode) -> (String, mpsc::UnboundedReceiver<(String, Value)>) {
    let (tell, told) = mpsc::unbounded_channel();
    let take = async move |headers: HeaderMap, Json(body): Json<Value>| {
        let credential = headers.get("authorization").map_or("none", |value| value.to_str().unwrap());
        tell.send((credential.to_owned(), body)).unwrap();
        (status, Json(json!({ "data": { "reportSchemaUsage": { "recorded": 1, "leftOut": 0 } } })))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graphql", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/graphql", post(take))).into_future());
    (url, told)
}

fn usage(registry: &str, change: impl FnOnce(&mut UsageConfig)) -> GatewayConfig {
    let mut usage = UsageConfig {
        registry: registry.to_owned(),
        authorization: Secret::new("Bearer abc"),
        sampling: 1.0,
        interval: Duration::from_millis(20),
        ..UsageConfig::default()
    };
    change(&mut usage);
    GatewayConfig { usage, ..GatewayConfig::default() }
}

async fn send(gateway: &TestGateway, client: &str, body: Value) {
    let headers = ["content-type: application/json", client, "graphql-client-version: 2.0"];
    let reply = gateway.send(Method::POST, "/graphql", &headers, body.to_string()).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply}");
}

/// What was told, added up by operation and client, until `count` requests are in it.
async fn gather(
    told: &mut mpsc::UnboundedReceiver<(String, Value)>,
    count: u64,
) -> Vec<(String, u64, u64, Value)> {
    let mut all: Vec<(String, u64, u64, Value)> = Vec::new();
    while all.iter().map(|one| one.1).sum::<u64>() < count {
        let (credential, body) = told.recv().await.unwrap();
        assert_eq!(credential, "Bearer abc");
        let input = &body["variables"]["input"];
        assert_eq!(input["environment"], "production");
        for one in input["operations"].as_array().unwrap() {
            let text = |name: &str| one[name].as_str().unwrap().to_owned();
            let of =
                format!("{} {} {} {}", text("kind"), text("name"), text("clientName"), text("clientVersion"));
            let (requests, errors) = (one["requests"].as_u64().unwrap(), one["errors"].as_u64().unwrap());
            match all.iter_mut().find(|known| known.0 == of) {
                Some(known) => (known.1, known.2) = (known.1 + requests, known.2 + errors),
                None => all.push((of, requests, errors, one["coordinates"].clone())),
            }
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[tokio::test]
async fn what_clients_use_is_told_by_coordinates_and_never_by_values() {
    let (url, mut told) = told(StatusCode::OK).await;
    let gateway = TestGateway::configured(usage(&url, |_| {})).await;
    let echo = "query Echo($text: String!) { echo(text: $text) hello @include(if: true) }";
    for text in ["one secret", "another"] {
        let body = json!({ "query": echo, "variables": { "text": text } });
        send(&gateway, "apollographql-client-name: web", body).await;
    }
    send(&gateway, "graphql-client-name: app", json!({ "query": "mutation { shout(text: \"a secret\") }" }))
        .await;
    let all = gather(&mut told, 3).await;
    let counts: Vec<_> =
        all.iter().map(|(of, requests, errors, _)| (of.as_str(), *requests, *errors)).collect();
    assert_eq!(counts, [("MUTATION  app 2.0", 1, 0), ("QUERY Echo web 2.0", 2, 0)]);
    let coordinates: BTreeSet<&str> =
        all[1].3.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    for used in ["Query.echo", "Query.echo(text:)", "Query.hello", "@include", "@include(if:)"] {
        assert!(coordinates.contains(used), "{used} is not in {coordinates:?}");
    }
    assert!(!coordinates.contains("Query.slow") && !format!("{all:?}").contains("secret"), "{all:?}");
}

#[tokio::test]
async fn a_registry_that_does_not_answer_holds_up_nobody() {
    let gateway = TestGateway::configured(usage("http://127.0.0.1:9/graphql", |usage| usage.queue = 1)).await;
    for _ in 0..50 {
        send(&gateway, "graphql-client-name: app", json!({ "query": "{ hello }" })).await;
    }
    let (url, mut told) = told(StatusCode::OK).await;
    let gateway = TestGateway::configured(usage(&url, |usage| usage.operations = 2)).await;
    for n in 0..2 {
        send(&gateway, "graphql-client-name: app", json!({ "query": format!("query Q{n} {{ hello }}") }))
            .await;
    }
    assert_eq!(gather(&mut told, 2).await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_told_stops_the_start() {
    for (registry, sampling, why) in [
        ("no address", 1.0, "gateway.usage.registry \"no address\" is no address"),
        ("http://localhost/graphql", 1.5, "gateway.usage.sampling is a share from 0 to 1"),
    ] {
        let config = usage(registry, |usage| usage.sampling = sampling);
        let error = Box::pin(pulse_gateway::Gateway::init(parts(), config)).await.err().unwrap();
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// A registry of variants, each with a field of its name.
async fn variants() -> (String, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let noted = Arc::clone(&asked);
    let serve = async move |axum::extract::Path(name): axum::extract::Path<String>| {
        noted.lock().unwrap().push(name.clone());
        match name.as_str() {
            "broken" => (StatusCode::OK, "type Query {".to_owned()),
            "none" => (StatusCode::NOT_FOUND, String::new()),
            name => (
                StatusCode::OK,
                SUPERGRAPH.replace("  caller: String", &format!("  {}: String", name.replace('-', "_"))),
            ),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/{{variant}}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().route("/{variant}", get(serve))).into_future());
    (url, asked)
}

#[tokio::test]
async fn a_request_chooses_a_variant_by_its_header() {
    let (url, asked) = variants().await;
    let supergraph =
        SupergraphConfig { variant_header: "pulse-variant".to_owned(), variant_url: url.clone(), ..config() };
    let source = UrlSource::try_new(&url.replace("{variant}", "current"), &supergraph).unwrap();
    let parts = GatewayParts { source: Arc::new(source), ..parts() };
    let gateway = TestGateway::with(parts, GatewayConfig { supergraph, ..GatewayConfig::default() }).await;
    let ask = async |variant: Option<&str>, query: &str| {
        let chosen = variant.map(|name| format!("pulse-variant: {name}"));
        let headers =
            ["content-type: application/json"].into_iter().chain(chosen.as_deref()).collect::<Vec<_>>();
        let body = json!({ "query": query }).to_string();
        let reply = gateway.send(Method::POST, "/graphql", &headers, body).await;
        (reply.status.as_u16(), reply.text().to_owned())
    };
    let hello = (200, r#"{"data":{"hello":"hello"}}"#.to_owned());
    assert_eq!(ask(None, "{ hello current }").await.0, 200);
    assert_eq!(ask(Some("pr-1"), "{ hello }").await, hello);
    assert_eq!(ask(Some("pr-1"), "{ hello current }").await.0, 400, "it is another schema");
    assert_eq!(ask(Some("pr-1"), "{ hello pr_1 }").await.0, 200);
    assert_eq!(ask(None, "{ pr_1 }").await.0, 400);
    let times = || asked.lock().unwrap().iter().filter(|name| *name == "pr-1").count();
    assert_eq!(times(), 1, "it is loaded once");
    for (name, status) in [("broken", 404), ("none", 404), ("none", 404), ("../x", 400), ("", 400)] {
        let (given, text) = ask(Some(name), "{ hello }").await;
        assert_eq!(given, status, "{name}: {text}");
    }
    assert_eq!(
        asked.lock().unwrap().iter().filter(|name| *name == "none").count(),
        1,
        "it is not tried again at once"
    );
    let events = ["content-type: application/json", "accept: text/event-stream", "pulse-variant: pr-1"];
    let body = json!({ "query": "subscription { news }" }).to_string();
    let reply = gateway.send(Method::POST, "/graphql", &events, body).await;
    assert!(reply.text().contains("leave out the header for streams"), "{reply}");
}
