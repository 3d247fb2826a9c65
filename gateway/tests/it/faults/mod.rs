//! Subgraphs that are slow, dead, half-dead, answer garbage, too much or too little, or break off: each answer comes in
//! bounded time with the right partial data and error, and requests for the healthy part go on as ever.

mod cases;

use std::time::Duration;

use bytesize::ByteSize;
use futures::StreamExt;
use futures::stream;
use pulse_gateway::{GatewayConfig, RemoteConfig};
use tokio::time::timeout;

use crate::support::two_subgraphs::{gateway, settings, steady};

use cases::{Case, entity_cases, root_cases};

/// Longer than any answer may take: the subgraph's own time, twice over, and room for a busy machine.
const BOUND: Duration = Duration::from_secs(20);

/// How many cases are tried at once: each has a gateway and servers of its own.
const AT_ONCE: usize = 8;

fn config() -> GatewayConfig {
    let config = GatewayConfig {
        remote: RemoteConfig {
            timeout: Duration::from_millis(400),
            response_limit: ByteSize::kb(20),
            ..RemoteConfig::default()
        },
        ..GatewayConfig::default()
    };
    // However busy the machine is, the healthy one is healthy.
    settings(config, "steady", "timeout = \"30s\"")
}

/// What a client sees of a shaky subgraph, and whether another one saw the healthy subgraph at the same time.
async fn seen(case: Case, query: &str) -> String {
    let Case { name, url } = case;
    let steady = steady().await;
    let gateway = gateway(&url, &steady.url, config()).await;
    let asked = gateway.post(serde_json::json!({ "query": query }).to_string());
    let healthy = gateway.post(r#"{"query":"{ fine }"}"#);
    let (reply, healthy) = timeout(BOUND, async { tokio::join!(asked, healthy) })
        .await
        .unwrap_or_else(|_| panic!("{name}: no answer"));
    assert_eq!(healthy.text(), r#"{"data":{"fine":"well"}}"#, "{name}");
    format!("{name}\n  {} {}", reply.status.as_u16(), reply.text())
}

async fn table(cases: Vec<Case>, query: &str) -> String {
    let seen = stream::iter(cases).map(|case| seen(case, query)).buffered(AT_ONCE);
    seen.collect::<Vec<_>>().await.join("\n")
}

#[tokio::test]
async fn each_way_in_which_a_subgraph_fails_leaves_the_others_and_says_what_is_missing() {
    let cases = root_cases().await;
    assert!(cases.len() >= 24);
    insta::assert_snapshot!(table(cases, "{ fine hello }").await, @"");
}

#[tokio::test]
async fn each_way_in_which_entities_are_missing_leaves_what_is_there() {
    insta::assert_snapshot!(table(entity_cases().await, "{ fine products { upc stock } }").await, @"");
}
