//! A subgraph that fails too often is left alone.

use std::time::Duration;

use pulse_gateway::GatewayConfig;

use crate::support::scripted_server::{ScriptedServer, Step, json};
use crate::support::two_subgraphs::{gateway, steady};

const QUERY: &str = r#"{"query":"{ fine hello }"}"#;

#[tokio::test]
async fn a_subgraph_that_fails_is_left_alone_until_it_answers_again() {
    let remote = "
        retries.attempts = 1
        [breaker]
        minimum_calls = 4
        open = \"300ms\"
    ";
    let config = GatewayConfig { remote: toml::from_str(remote).unwrap(), ..GatewayConfig::default() };
    let shaky = ScriptedServer::start(|number, _| {
        if number < 5 { vec![Step::Close] } else { vec![json(r#"{"data":{"hello":"hi"}}"#)] }
    })
    .await;
    let steady = steady().await;
    let gateway = gateway(&shaky.url, &steady.url, config).await;
    for _ in 0..4 {
        let reply = gateway.post(QUERY).await;
        assert!(reply.text().contains("could not be reached"), "{reply}");
    }
    insta::assert_snapshot!(gateway.post(QUERY).await.text(), @r#"{"data":{"fine":"well","hello":null},"errors":[{"message":"the subgraph `shaky` failed too often lately and is left alone for a moment","path":["hello"],"extensions":{"code":"UNAVAILABLE","reason":"CIRCUIT_OPEN","subgraph":"shaky"}}]}"#);
    assert_eq!(shaky.requests().len(), 4, "nobody asked it");
    let metrics = gateway.get("/metrics", &[]).await;
    assert!(metrics.text().contains("pulse_gateway_circuit_open{subgraph=\"shaky\"} 1"), "{metrics}");
    // The first probe fails, the second does not.
    shaky_asked_again(&gateway, &shaky, 5).await;
    assert!(gateway.post(QUERY).await.text().contains("CIRCUIT_OPEN"));
    shaky_asked_again(&gateway, &shaky, 6).await;
    for _ in 0..3 {
        assert_eq!(gateway.post(QUERY).await.text(), r#"{"data":{"fine":"well","hello":"hi"}}"#);
    }
}

async fn shaky_asked_again(
    gateway: &crate::support::gateway::TestGateway,
    shaky: &ScriptedServer,
    times: usize,
) {
    while shaky.requests().len() < times {
        crate::support::pause(Duration::from_millis(5)).await;
        gateway.post(QUERY).await;
    }
}
