//! Answers that are kept, from outside: clients and subgraphs over HTTP.

use std::time::Duration;

use http::Method;
use pulse_gateway::GatewayConfig;
use serde_json::json;

use super::shop::keeping;
use crate::support::scripted_server::{ScriptedServer, response};
use crate::support::two_subgraphs::{gateway, steady};

/// Where nothing is said, what the settings say.
fn by_default() -> GatewayConfig {
    let mut config = keeping();
    config.response_cache.default_ttl = Duration::from_mins(1);
    config
}

async fn server(head: &[&str]) -> ScriptedServer {
    let head = [&["content-type: application/json"], head].concat();
    ScriptedServer::always(vec![response("200 OK", &head, br#"{"data":{"hello":"hi"}}"#)]).await
}

#[tokio::test]
async fn a_subgraph_over_http_is_asked_once_and_each_caller_gets_their_own() {
    let (shaky, steady) = (server(&[]).await, steady().await);
    let gateway = gateway(&shaky.url, &steady.url, by_default()).await;
    let query = json!({ "query": "{ hello fine }" }).to_string();
    let first = gateway.post(query.clone()).await;
    let kept = gateway.post(query.clone()).await;
    assert_eq!(first.text(), r#"{"data":{"hello":"hi","fine":"well"}}"#);
    assert_eq!(kept.text(), first.text());
    assert_eq!((first.header("age"), kept.header("age")), (None, Some("0")));
    assert_eq!(kept.header("cache-control"), Some("private, max-age=60"));
    assert_eq!((shaky.requests().len(), steady.requests().len()), (1, 1));
    // A part of it in another operation is there, too.
    gateway.post(json!({ "query": "query Other { fine }" }).to_string()).await;
    let headers = ["content-type: application/json", "cache-control: no-cache"];
    gateway.send(Method::POST, "/graphql", &headers, query).await;
    assert_eq!((shaky.requests().len(), steady.requests().len()), (2, 2));
}

#[tokio::test]
async fn nothing_is_kept_of_a_subgraph_whose_headers_come_back() {
    let (shaky, steady) = (server(&["x-a: 1"]).await, steady().await);
    let mut config = by_default();
    config.remote = toml::from_str("headers.response = [{ propagate = \"x-a\" }]").unwrap();
    let gateway = gateway(&shaky.url, &steady.url, config).await;
    for _ in 0..2 {
        let answer = gateway.post(json!({ "query": "{ hello }" }).to_string()).await;
        assert_eq!(answer.header("x-a"), Some("1"));
    }
    assert_eq!(shaky.requests().len(), 2);
}
