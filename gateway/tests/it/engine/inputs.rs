//! Limits on what a request asks for by its inputs: each has a case that goes past it.

use pulse_gateway::engine::{EngineConfig, InputLimits};
use serde_json::{Value as Json, json};

use super::supergraphs::{Blueprint, Platform};

fn platform() -> Platform {
    let types = r#"
        directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
        input Page @join__type(graph: A) { first: Int }
        type Query @join__type(graph: A) {
          items(first: Int, top: Int, page: Page, ids: [[Int]]): Int @listSize(slicingArguments: ["top", "page.first"])
        }
    "#;
    let inputs = InputLimits { max_list_size: 3, max_page_size: 50, ..InputLimits::default() };
    let config = EngineConfig { inputs, ..EngineConfig::default() };
    Blueprint::new(types, vec![("a", json!({ "Query": { "items": 1 } }))]).config(config).build()
}

/// The refusal of a document, or of its variables; empty when it is answered.
async fn refusal(document: &str, variables: Json) -> String {
    let platform = platform();
    if let Err(errors) = platform.engine.prepare(document, None).await {
        return errors[0].message.clone();
    }
    let body = platform.execute(document, variables).await.body;
    let body: Json = serde_json::from_slice(&body).unwrap();
    body["errors"][0]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn lists_that_are_too_long_are_refused_wherever_they_are() {
    let variable = "query($ids: [[Int]]) { items(ids: $ids) }";
    let refusals = [
        refusal("{ items(ids: [1, 2, 3, 4]) }", Json::Null).await,
        refusal("query($ids: [[Int]] = [[1, 2, 3, 4]]) { items(ids: $ids) }", Json::Null).await,
        refusal(variable, json!({ "ids": [1, 2, 3, 4] })).await,
        refusal(variable, json!({ "ids": [[1], [1, 2, 3, 4]] })).await,
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r"
    a list in the request has 4 items, the limit is 3
    a list in the request has 4 items, the limit is 3
    a list in the request has 4 items, the limit is 3
    a list in the request has 4 items, the limit is 3
    ");
    assert_eq!(refusal("{ items(ids: [1, 2, 3]) }", Json::Null).await, "");
    assert_eq!(refusal(variable, json!({ "ids": [1, 2, 3] })).await, "");
}

#[tokio::test]
async fn pages_that_are_too_large_are_refused_wherever_they_are_asked_for() {
    let (top, page) = ("query($n: Int) { items(top: $n) }", "query($page: Page) { items(page: $page) }");
    let nested = "query($n: Int) { items(page: { first: $n }) }";
    let refusals = [
        refusal("{ items(first: 51) }", Json::Null).await,
        refusal("{ items(top: 51) }", Json::Null).await,
        refusal("{ items(page: { first: 51 }) }", Json::Null).await,
        refusal("query($n: Int = 51) { items(first: $n) }", Json::Null).await,
        refusal(top, json!({ "n": 51 })).await,
        refusal(nested, json!({ "n": 51 })).await,
        refusal(page, json!({ "page": { "first": 51 } })).await,
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r"
    `first` asks for a page of 51, the limit is 50
    `top` asks for a page of 51, the limit is 50
    `first` asks for a page of 51, the limit is 50
    `n` asks for a page of 51, the limit is 50
    `n` asks for a page of 51, the limit is 50
    `n` asks for a page of 51, the limit is 50
    `first` asks for a page of 51, the limit is 50
    ");
    assert_eq!(refusal("{ items(first: 50, top: -1) }", Json::Null).await, "");
    for document in [top, nested] {
        assert_eq!(refusal(document, json!({ "n": 50 })).await, "");
    }
}
