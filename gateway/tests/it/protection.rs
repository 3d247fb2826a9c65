//! What browsers may do, and requests that are refused unread.

use std::time::Duration;

use bytesize::ByteSize;
use http::Method;
use pulse_gateway::{CorsConfig, GatewayConfig, ProtectionConfig};

use crate::support::gateway::TestGateway;

async fn with(protection: ProtectionConfig) -> TestGateway {
    TestGateway::configured(GatewayConfig { protection, ..GatewayConfig::default() }).await
}

#[tokio::test]
async fn a_head_with_too_many_or_too_large_headers_is_refused() {
    let few = ProtectionConfig { max_headers: 4, ..ProtectionConfig::default() };
    let many = with(few).await.get("/graphql?query={hello}", &["a: 1", "b: 2", "c: 3", "d: 4"]).await;
    let small = ProtectionConfig { max_header_size: ByteSize::b(100), ..ProtectionConfig::default() };
    let large = with(small).await.get("/graphql?query={hello}", &[&format!("a: {}", "x".repeat(100))]).await;
    assert_eq!((many.status.as_u16(), large.status.as_u16()), (431, 431));
    assert!(many.text().contains("the limit is 4") && many.text().contains("HEADERS_TOO_LARGE"), "{many}");
    assert!(large.text().contains("HEADERS_TOO_LARGE"), "{large}");
    let default = with(ProtectionConfig::default()).await;
    assert_eq!(default.get("/graphql?query={hello}", &["a: 1"]).await.status, 200);
}

#[tokio::test]
async fn a_get_must_prove_where_it_comes_from_when_the_settings_say_so() {
    let url = "/graphql?query={hello}";
    assert_eq!(TestGateway::start().await.get(url, &[]).await.status, 200);
    let gateway = with(ProtectionConfig { csrf_for_get: true, ..ProtectionConfig::default() }).await;
    let plain = gateway.get(url, &["content-type: text/plain;charset=utf-8"]).await;
    assert_eq!(plain.status, 403);
    assert!(plain.text().contains("CSRF_PREVENTION"), "{plain}");
    assert_eq!(gateway.get(url, &[]).await.status, 403);
    assert_eq!(gateway.get(url, &["apollo-require-preflight: "]).await.status, 403);
    for proof in
        ["apollo-require-preflight: true", "x-apollo-operation-name: Q", "content-type: application/json"]
    {
        assert_eq!(gateway.get(url, &[proof]).await.status, 200, "{proof}");
    }
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.status, 200);
    assert_eq!(gateway.get("/graphql", &["accept: text/html"]).await.status, 200);
    assert_eq!(gateway.get("/health/live", &[]).await.status, 200);
}

#[tokio::test]
async fn browsers_are_told_to_frame_no_page_and_to_come_by_tls() {
    let plain = TestGateway::start().await.get("/graphql", &["accept: text/html"]).await;
    assert_eq!(plain.header("x-frame-options"), Some("DENY"));
    assert_eq!(plain.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(plain.header("strict-transport-security"), None);
    let strict =
        with(ProtectionConfig { hsts: Duration::from_hours(24), ..ProtectionConfig::default() }).await;
    let reply = strict.post(r#"{"query":"{ hello }"}"#).await;
    assert_eq!(reply.header("strict-transport-security"), Some("max-age=86400; includeSubDomains"));
    assert_eq!(reply.header("x-frame-options"), None);
}

/// What a browser is told when it asks before a POST.
async fn preflight(config: GatewayConfig, origin: &str) -> String {
    let gateway = TestGateway::configured(config).await;
    let origin = format!("origin: {origin}");
    let headers = [
        origin.as_str(),
        "access-control-request-method: POST",
        "access-control-request-headers: authorization,x-own",
    ];
    let reply = gateway.send(Method::OPTIONS, "/graphql", &headers, "").await;
    let mut told: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    told.sort();
    told.join("\n")
}

#[tokio::test]
async fn pages_of_named_origins_may_send_and_read_what_the_settings_name() {
    let origins = |origins: &[&str]| origins.iter().map(|origin| (*origin).to_owned()).collect();
    let named = |cors: CorsConfig| GatewayConfig {
        cors_origins: origins(&["https://*.example.com"]),
        cors,
        ..GatewayConfig::default()
    };
    let told = preflight(named(CorsConfig::default()), "https://app.example.com").await;
    assert!(told.contains("access-control-allow-origin: https://app.example.com"), "{told}");
    assert!(told.contains("access-control-allow-methods: GET,POST,PUT,DELETE"), "{told}");
    assert!(told.contains("x-graphql-event-stream-token"), "{told}");
    assert!(!told.contains("x-own") && !told.contains("credentials") && !told.contains("max-age"), "{told}");
    let cors = CorsConfig {
        headers: vec!["*".into()],
        credentials: true,
        max_age: Duration::from_mins(10),
        ..CorsConfig::default()
    };
    let told = preflight(named(cors.clone()), "https://app.example.com").await;
    for part in ["allow-headers: authorization,x-own", "allow-credentials: true", "max-age: 600"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert!(
        !preflight(named(cors.clone()), "https://example.com.evil.example").await.contains("allow-origin")
    );
    // Cookies and all origins do not go together, whatever the settings say.
    let all = GatewayConfig { cors_origins: origins(&["*"]), cors, ..GatewayConfig::default() };
    let told = preflight(all, "https://anybody.example").await;
    assert!(told.contains("access-control-allow-origin: *") && !told.contains("credentials"), "{told}");
}

#[tokio::test]
async fn pages_may_read_the_headers_that_the_gateway_answers_with() {
    let config = GatewayConfig { cors_origins: vec!["*".into()], ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let reply = gateway.get("/graphql?query={hello}", &["origin: https://anybody.example"]).await;
    let exposed = reply.header("access-control-expose-headers");
    assert_eq!(exposed, Some("x-request-id,retry-after,pulse-cost,ratelimit,ratelimit-policy"));
}
