//! Costs told and limited, without budgets.

use serde_json::json;

use super::*;

#[tokio::test]
async fn costs_are_told_in_headers_and_on_request_in_extensions() {
    let gateway = start(&Time::default(), enforce(|_| {})).await;
    insta::assert_snapshot!(gateway.post(books(10)).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=20, actual=4

    {"data":{"books":[{"id":"1"},{"id":"2"}]}}
    "#);
    let asking = json!({ "query": "mutation { buy { id } }", "extensions": { "cost": true } });
    insta::assert_snapshot!(gateway.post(asking.to_string()).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=12, actual=12

    {"data":{"buy":{"id":"3"}},"extensions":{"cost":{"estimated":12,"actual":12,"subgraphs":{"library":2}}}}
    "#);
}

#[tokio::test]
async fn answers_are_as_before_where_costs_are_not_counted() {
    let gateway = start(&Time::default(), GatewayConfig::default()).await;
    let asking = json!({ "query": "{ books { id } }", "extensions": { "cost": true } });
    insta::assert_snapshot!(gateway.post(asking.to_string()).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8

    {"data":{"books":[{"id":"1"},{"id":"2"}]}}
    "#);
}

#[tokio::test]
async fn operation_above_the_limit_is_refused_with_its_estimate() {
    let gateway = start(&Time::default(), enforce(|cost| cost.max = Cost::new(100))).await;
    assert_eq!(gateway.post(books(50)).await.status, 200);
    insta::assert_snapshot!(gateway.post(books(51)).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the operation may cost 102, the limit is 100: ask for shorter lists or fewer fields","extensions":{"code":"COST_EXCEEDED","reason":"OPERATION_COST","estimated":102,"limit":100}}]}
    "#);
    let by_variable = json!({ "query": "query ($n: Int) { books(first: $n) { id } }", "variables": { "n": 2_000_000_000 } });
    assert_eq!(gateway.post(by_variable.to_string()).await.status, 400);
}

#[tokio::test]
async fn measuring_refuses_nothing() {
    let config = enforce(|cost| {
        cost.max = Cost::new(1);
        cost.mode = CostMode::Measure;
        cost.extensions = TellCost::Always;
        cost.subgraphs.insert("library".into(), Cost::new(1));
    });
    let gateway = start(&Time::default(), config).await;
    insta::assert_snapshot!(gateway.post(r#"{"query":"{ books { id } }"}"#).await, @r#"
    200 OK
    content-type: application/graphql-response+json; charset=utf-8
    pulse-cost: estimated=20, actual=4

    {"data":{"books":[{"id":"1"},{"id":"2"}]},"extensions":{"cost":{"estimated":20,"actual":4,"subgraphs":{"library":20}}}}
    "#);
}

#[tokio::test]
async fn subgraph_above_its_limit_is_named() {
    let config = enforce(|cost| cost.subgraphs = [("library".into(), Cost::new(20))].into());
    let gateway = start(&Time::default(), config).await;
    assert_eq!(gateway.post(books(10)).await.status, 200);
    insta::assert_snapshot!(gateway.post(books(11)).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"what the operation asks of the subgraph `library` may cost 22, the limit is 20: ask for shorter lists or fewer fields of it","extensions":{"code":"COST_EXCEEDED","reason":"SUBGRAPH_COST","estimated":22,"limit":20,"subgraph":"library"}}]}
    "#);
}

#[tokio::test]
async fn list_whose_size_nobody_tells_is_refused() {
    let gateway = start(&Time::default(), enforce(|_| {})).await;
    insta::assert_snapshot!(gateway.post(r#"{"query":"{ books { id } }"}"#).await, @r#"
    400 Bad Request
    content-type: application/graphql-response+json; charset=utf-8

    {"errors":[{"message":"the size of a list cannot be told before it is fetched: `Query.books` needs exactly one of its arguments `first`","extensions":{"code":"BAD_USER_INPUT","reason":"LIST_SIZE_UNKNOWN"}}]}
    "#);
}

#[tokio::test]
async fn new_settings_change_what_costs() {
    let gateway = start(&Time::default(), GatewayConfig::default()).await;
    assert_eq!(gateway.post(books(1000)).await.header("pulse-cost"), None);
    let config = enforce(|cost| cost.max = Cost::new(10));
    gateway.gateway.reconfigure(config, Subgraphs::Fixed(vec![Arc::new(Library)])).await.unwrap();
    assert_eq!(gateway.post(books(1000)).await.status, 400);
}
