//! What stands around the API: request ids, the query page, health, metrics, CORS, compression, limits of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::Method;
use pulse_gateway::{FileSource, GatewayConfig, HealthCheck};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::gateway::{SUPERGRAPH, TestGateway, parts};

const NAVIGATES: &str = "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

async fn connect(gateway: &TestGateway) -> TcpStream {
    TcpStream::connect(gateway.url.trim_start_matches("http://")).await.unwrap()
}

#[tokio::test]
async fn a_request_keeps_its_id_and_gets_one_when_it_has_none() {
    let gateway = TestGateway::start().await;
    let id = "01890a5d-ac96-774b-bcce-b302099a8057";
    let named = gateway.get("/graphql?query=%7Bhello%7D", &[&format!("x-request-id: {id}")]).await;
    assert_eq!(named.header("x-request-id"), Some(id));
    let forged = gateway.get("/graphql?query=%7Bhello%7D", &["x-request-id: <script>"]).await;
    assert_eq!(forged.header("x-request-id").map(str::len), Some(36));
    let unknown = gateway.get("/nowhere", &[]).await;
    assert_eq!(unknown.header("x-request-id").map(str::len), Some(36));
}

#[tokio::test]
async fn a_browser_finds_the_query_page_which_loads_nothing_from_elsewhere() {
    let gateway = TestGateway::start().await;
    let root = gateway.get("/", &[NAVIGATES]).await;
    assert_eq!((root.status.as_u16(), root.header("location")), (307, Some("/graphql")));
    let page = gateway.get("/graphql", &[NAVIGATES]).await;
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.text().starts_with("<!doctype html>") && page.text().ends_with("</html>\n"));
    for outside in ["http://", "https://", "//", "@import", "url("] {
        let text = page.text().replace("// ", "");
        assert!(!text.contains(outside), "the page has {outside}");
    }
    // GraphiQL loads its parts; the page of a program that was built without it has none.
    let parts = page.text().split('"').filter(|text| text.starts_with("/graphiql/"));
    for part in parts {
        let reply = gateway.get(part, &[]).await;
        assert_eq!(reply.status, 200, "{part}");
        let kind = if part.contains(".css") { "text/css" } else { "text/javascript" };
        assert_eq!(reply.header("content-type"), Some(format!("{kind}; charset=utf-8").as_str()), "{part}");
        let tag = format!("if-none-match: {}", reply.header("etag").unwrap());
        assert_eq!(gateway.get(part, &[&tag]).await.status, 304, "{part}");
    }
    assert_eq!(gateway.get("/graphiql/other.js", &[]).await.status, 404);
    let program = gateway.get("/graphql?query=%7Bhello%7D", &["accept: */*"]).await;
    assert_eq!(program.text(), r#"{"data":{"hello":"hello"}}"#);
}

#[tokio::test]
async fn without_the_query_page_a_browser_gets_json() {
    let gateway =
        TestGateway::configured(GatewayConfig { query_page: false, ..GatewayConfig::default() }).await;
    let reply = gateway.get("/graphql?query=%7Bhello%7D", &[NAVIGATES]).await;
    assert_eq!(reply.text(), r#"{"data":{"hello":"hello"}}"#);
    assert_eq!(gateway.get("/", &[NAVIGATES]).await.status, 404);
}

#[tokio::test]
async fn a_process_that_answers_is_live() {
    let gateway = TestGateway::start().await;
    insta::assert_snapshot!(gateway.get("/health/live", &[]).await, @r#"
    200 OK
    content-type: application/json

    {"status":"live"}
    "#);
}

#[tokio::test]
async fn readiness_lists_every_check_and_says_what_is_not_ready() {
    let works = Arc::new(AtomicBool::new(true));
    let seen = Arc::clone(&works);
    let database = HealthCheck::new("database", move || {
        let works = seen.load(Ordering::SeqCst);
        async move { if works { Ok(()) } else { Err("cannot be reached; is DATABASE_URL right?".to_owned()) } }
    });
    let hanging = HealthCheck::new("sequencer", {
        let works = Arc::clone(&works);
        move || {
            let works = works.load(Ordering::SeqCst);
            async move { if works { Ok(()) } else { std::future::pending().await } }
        }
    });
    let mut parts = parts();
    parts.checks = vec![database, hanging];
    let config = GatewayConfig { health_timeout: Duration::from_millis(20), ..GatewayConfig::default() };
    let gateway = TestGateway::with(parts, config).await;
    let shown = async || {
        let reply = gateway.get("/health/ready", &[]).await.to_string();
        reply.replace(&gateway.gateway.supergraph_version(), "VERSION")
    };
    insta::assert_snapshot!(shown().await, @r#"
    200 OK
    content-type: application/json

    {"status":"ready","checks":[{"name":"supergraph","status":"ready","message":"serving version VERSION"},{"name":"database","status":"ready"},{"name":"sequencer","status":"ready"}]}
    "#);
    works.store(false, Ordering::SeqCst);
    insta::assert_snapshot!(shown().await, @r#"
    503 Service Unavailable
    content-type: application/json

    {"status":"not_ready","checks":[{"name":"supergraph","status":"ready","message":"serving version VERSION"},{"name":"database","status":"not_ready","message":"cannot be reached; is DATABASE_URL right?"},{"name":"sequencer","status":"not_ready","message":"did not answer within 20 ms"}]}
    "#);
}

#[tokio::test]
async fn metrics_tell_of_requests_and_fetches() {
    let gateway = TestGateway::start().await;
    gateway.post(r#"{"query":"{ hello }"}"#).await;
    gateway.post(r#"{"query":"{ hello }"}"#).await;
    gateway.post(r#"{"query":"{ nonsense }"}"#).await;
    let metrics = gateway.get("/metrics", &[]).await;
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for part in [
        "pulse_gateway_request_duration_seconds_bucket{kind=\"query\",status=\"200\",le=",
        "pulse_gateway_request_duration_seconds_count{kind=\"none\",status=\"400\"}",
        "pulse_gateway_fetch_duration_seconds_count{subgraph=\"parrot\",outcome=\"ok\"}",
        "pulse_gateway_requests_in_flight ",
        "pulse_gateway_plan_cache_total{outcome=\"hit\"}",
        "pulse_gateway_plan_cache_total{outcome=\"miss\"}",
    ] {
        assert!(metrics.text().contains(part), "{part} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn foreign_pages_are_let_in_only_by_name() {
    let preflight = ["origin: https://app.example", "access-control-request-method: POST"];
    let asked = async |gateway: &TestGateway| {
        let reply = gateway.send(Method::OPTIONS, "/graphql", &preflight, "").await;
        reply.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(asked(&TestGateway::start().await).await, None);
    let with = |origins: &[&str]| GatewayConfig {
        cors_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        ..GatewayConfig::default()
    };
    let named = TestGateway::configured(with(&["https://app.example/"])).await;
    assert_eq!(asked(&named).await.as_deref(), Some("https://app.example"));
    let other = TestGateway::configured(with(&["https://other.example"])).await;
    assert_eq!(asked(&other).await, None);
    let all = TestGateway::configured(with(&["*"])).await;
    assert_eq!(asked(&all).await.as_deref(), Some("*"));
}

#[tokio::test]
async fn answers_are_compressed_for_clients_that_accept_it() {
    let gateway = TestGateway::start().await;
    let body = serde_json::json!({
        "query": "query($text: String!) { echo(text: $text) }",
        "variables": { "text": "a".repeat(2000) },
    });
    let encoding = async |gateway: &TestGateway, accepted: &str| {
        let headers = ["content-type: application/json", accepted];
        let reply = gateway.send(Method::POST, "/graphql", &headers, body.to_string()).await;
        (reply.header("content-encoding").map(str::to_owned), reply.body.len() > 2000)
    };
    let gzip = "accept-encoding: gzip";
    assert_eq!(encoding(&gateway, gzip).await, (Some("gzip".to_owned()), false));
    assert_eq!(encoding(&gateway, "accept-encoding: identity").await, (None, true));
    let plain =
        TestGateway::configured(GatewayConfig { compression: false, ..GatewayConfig::default() }).await;
    assert_eq!(encoding(&plain, gzip).await, (None, true));
}

#[tokio::test]
async fn a_request_that_takes_too_long_ends_with_timeout() {
    let config = GatewayConfig { request_timeout: Duration::from_millis(50), ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let reply = gateway.post(r#"{"query":"{ slow }"}"#).await;
    assert!(reply.text().contains(r#""code":"TIMEOUT""#), "{reply}");
}

#[tokio::test]
async fn a_panic_is_an_internal_error_and_the_gateway_goes_on() {
    let gateway = TestGateway::start().await;
    let reply = gateway.post(r#"{"query":"{ broken }"}"#).await;
    assert!(reply.text().contains(r#""code":"INTERNAL""#) && !reply.text().contains("breaks"), "{reply}");
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);
}

#[tokio::test]
async fn a_body_that_trickles_ends_with_408() {
    let config = GatewayConfig { request_timeout: Duration::from_millis(50), ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let mut stream = connect(&gateway).await;
    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("the request did not arrive whole within 50 ms"), "{answer}");
}

#[tokio::test]
async fn a_head_that_trickles_ends_the_connection() {
    let config = GatewayConfig { header_timeout: Duration::from_millis(50), ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let mut stream = connect(&gateway).await;
    stream.write_all(b"POST /graphql HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let gateway = TestGateway::start().await;
    let long = format!("x-long: {}", "x".repeat(70_000));
    assert_eq!(gateway.get("/health/live", &[&long]).await.status, 431);
}

#[tokio::test]
async fn stopping_lets_requests_under_way_finish_and_waits_no_longer_than_allowed() {
    let config = GatewayConfig {
        request_timeout: Duration::from_millis(200),
        drain_timeout: Duration::from_secs(20),
        ..GatewayConfig::default()
    };
    let gateway = TestGateway::configured(config).await;
    let mut stream = connect(&gateway).await;
    let body = r#"{"query":"{ slow }"}"#;
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // Once a second connection is answered, the first one's head has been read as well.
    gateway.get("/health/live", &[]).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let url = gateway.url.clone();
    gateway.stop().await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains(r#""code":"TIMEOUT""#), "{answer}");
    assert!(TcpStream::connect(url.trim_start_matches("http://")).await.is_err());

    let config = GatewayConfig { drain_timeout: Duration::from_millis(20), ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let mut stuck = connect(&gateway).await;
    stuck.write_all(head.as_bytes()).await.unwrap();
    gateway.get("/health/live", &[]).await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_new_supergraph_is_served_and_one_that_does_not_load_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("supergraph.graphql");
    std::fs::write(&path, SUPERGRAPH).unwrap();
    let mut parts = parts();
    parts.source = Arc::new(FileSource::new(&path).with_poll(Some(Duration::from_millis(2))));
    let gateway = TestGateway::with(parts, GatewayConfig::default()).await;
    let renamed = SUPERGRAPH.replace("caller: String", "caller: String\n  later: String");

    std::fs::write(&path, "type Query {").unwrap();
    let refused = until(&gateway, "was refused").await;
    assert!(refused.contains("the supergraph is not valid SDL") && refused.starts_with("200"), "{refused}");
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);
    assert_eq!(gateway.post(r#"{"query":"{ later }"}"#).await.status, 400);

    let before = gateway.gateway.supergraph_version();
    std::fs::write(&path, renamed).unwrap();
    while gateway.gateway.supergraph_version() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(gateway.post(r#"{"query":"{ later }"}"#).await.status, 200);
}

/// Readiness, once it says this.
async fn until(gateway: &TestGateway, text: &str) -> String {
    loop {
        let reply = gateway.get("/health/ready", &[]).await.to_string();
        if reply.contains(text) {
            return reply;
        }
    }
}
