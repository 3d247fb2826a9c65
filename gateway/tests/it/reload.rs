//! New settings while the gateway serves.

use std::sync::Arc;

use pulse_gateway::{GatewayConfig, LimitsConfig, Subgraphs};

use crate::support::gateway::{Parrot, TestGateway};

fn parrot() -> Subgraphs {
    Subgraphs::Fixed(vec![Arc::new(Parrot)])
}

#[tokio::test]
async fn new_settings_hold_from_the_next_request_on() {
    let gateway = TestGateway::start().await;
    assert_eq!(gateway.get("/", &[]).await.status, 307);
    assert_eq!(gateway.post(r#"{"query":"{ hello shout: hello }"}"#).await.status, 200);

    let limits = LimitsConfig { max_aliases: 0, ..LimitsConfig::default() };
    let config = GatewayConfig { query_page: false, limits, ..GatewayConfig::default() };
    let reconfigured = gateway.gateway.reconfigure(config, parrot()).await.unwrap();
    assert_eq!(reconfigured.changed, ["gateway.query_page", "gateway.limits.max_aliases"]);
    assert_eq!(gateway.get("/", &[]).await.status, 404);
    let refused = gateway.post(r#"{"query":"{ hello shout: hello }"}"#).await;
    assert_eq!(refused.status, 400, "{}", refused.text());
}

#[tokio::test]
async fn settings_that_cannot_be_used_change_nothing_and_are_told() {
    let gateway = TestGateway::start().await;
    let ready = gateway.get("/health/ready", &[]).await;
    assert!(!ready.text().contains("settings"), "{}", ready.text());

    // The supergraph names a subgraph that nobody serves any more.
    let error = gateway.gateway.reconfigure(GatewayConfig::default(), Subgraphs::Fixed(Vec::new())).await;
    gateway.gateway.refuse_config(&error.unwrap_err().to_string());
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);
    let ready = gateway.get("/health/ready", &[]).await;
    assert_eq!(ready.status, 200);
    assert!(ready.text().contains(r#"{"name":"settings","status":"ready","message":"#), "{}", ready.text());

    gateway.gateway.reconfigure(GatewayConfig::default(), parrot()).await.unwrap();
    let ready = gateway.get("/health/ready", &[]).await;
    assert!(!ready.text().contains("settings"), "{}", ready.text());
}

#[tokio::test]
async fn a_gateway_that_stops_is_not_ready_and_still_serves() {
    let gateway = TestGateway::start().await;
    gateway.gateway.begin_to_stop();
    let ready = gateway.get("/health/ready", &[]).await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains(r#""name":"stopping","status":"not_ready""#), "{}", ready.text());
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.text(), r#"{"data":{"hello":"hello"}}"#);
}
