//! Several operations in one request.

use http::Method;
use pulse_gateway::{BatchingConfig, GatewayConfig};

use crate::support::gateway::TestGateway;

const JSON: &str = "content-type: application/json";

async fn with_limit(max_operations: usize) -> TestGateway {
    let batching = BatchingConfig { max_operations, ..BatchingConfig::default() };
    TestGateway::configured(GatewayConfig { batching, ..GatewayConfig::default() }).await
}

#[tokio::test]
async fn a_list_of_operations_is_answered_by_a_list_in_its_order() {
    let gateway = TestGateway::start().await;
    let body = r#"[{"query":"{ hello }"},{"query":"query($text: String!) { echo(text: $text) }","variables":{"text":"two"}},
        {"query":"mutation { shout(text: \"a\") }"}]"#;
    insta::assert_snapshot!(gateway.post(body).await, @r#"
    200 OK
    content-type: application/json; charset=utf-8

    [{"data":{"hello":"hello"}},{"data":{"echo":"two"}},{"data":{"shout":"shout"}}]
    "#);
    let only = ["accept: application/graphql-response+json", JSON];
    let reply = gateway.send(Method::POST, "/graphql", &only, r#"[{"query":"{ hello }"}]"#).await;
    assert_eq!(reply.header("content-type"), Some("application/graphql-response+json; charset=utf-8"));
    assert_eq!(reply.text(), r#"[{"data":{"hello":"hello"}}]"#);
}

#[tokio::test]
async fn what_is_wrong_with_one_operation_leaves_the_others_alone() {
    let gateway = TestGateway::start().await;
    let body = r#"[{"query":"{ hello }"},7,{"qeury":"{ hello }"},{"query":"{ nonsense }"},
        {"query":"subscription { news }"},{"query":"{ hello }","variables":[]}]"#;
    let reply = gateway.post(body).await;
    assert_eq!(reply.status, 200);
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&reply.body).unwrap();
    let brief: Vec<_> = answers
        .iter()
        .map(|answer| answer["errors"][0]["message"].as_str().unwrap_or("fine").split(':').next().unwrap())
        .collect();
    insta::assert_snapshot!(brief.join("\n"), @r#"
    fine
    a GraphQL request must be an object, not a number
    the request has no `query`
    Cannot query field "nonsense" on type "Query".
    a subscription has no single answer
    `variables` must be an object, not a list
    "#);
}

#[tokio::test]
async fn a_batch_over_the_limit_is_400_and_names_it() {
    let gateway = with_limit(2).await;
    let one = r#"{"query":"{ hello }"}"#;
    insta::assert_snapshot!(gateway.post(format!("[{one},{one},{one}]")).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the batch is too large: it has 3 operations, the limit is 2","extensions":{"code":"BAD_USER_INPUT","reason":"BATCH_REFUSED"}}]}
    "#);
    assert_eq!(gateway.post(format!("[{one},{one}]")).await.status, 200);
}

#[tokio::test]
async fn an_empty_batch_is_400() {
    let gateway = TestGateway::start().await;
    insta::assert_snapshot!(gateway.post("[]").await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the batch is empty: it must have at least one operation","extensions":{"code":"BAD_USER_INPUT","reason":"BATCH_REFUSED"}}]}
    "#);
}

#[tokio::test]
async fn batches_can_be_switched_off() {
    let gateway = with_limit(0).await;
    let reply = gateway.post(r#"[{"query":"{ hello }"}]"#).await;
    assert_eq!(reply.status, 400);
    assert!(reply.text().contains("batches are switched off here"), "{reply}");
    assert_eq!(gateway.post(r#"{"query":"{ hello }"}"#).await.status, 200);
}

#[tokio::test]
async fn operations_of_a_batch_have_their_limits_each() {
    let config =
        GatewayConfig { request_timeout: std::time::Duration::from_millis(200), ..GatewayConfig::default() };
    let gateway = TestGateway::configured(config).await;
    let reply = gateway.post(r#"[{"query":"{ slow }"},{"query":"{ hello }"}]"#).await;
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(answers[0]["errors"][0]["extensions"]["code"], "TIMEOUT", "{reply}");
    assert_eq!(answers[1]["data"]["hello"], "hello", "{reply}");
}
