//! What a walk has reached, as a document.

use std::sync::Arc;

use insta::assert_snapshot;
use pulse_types::{Caller, Effect, Permission, Resource, ResourceKind};
use serde_json::json;
use uuid::Uuid;

use crate::{Graph, refusal};

const DOCUMENT: &str = "query ($from: [ID!]!, $format: GraphDocumentFormat!, $depth: Int) \
    { subgraph(from: $from, depth: $depth) { document(format: $format) } }";

async fn graph() -> Graph {
    let graph = Graph::with_packages().await;
    graph.relate(&[("a", "needs", "b"), ("b", "needs", "c"), ("c", "of", "libs")]).await;
    let properties = "mutation ($id: ID!) { updateEntity(input: { id: $id, description: \"<b>\", properties: { size: 3 } }) { __typename } }";
    graph.data(properties, json!({ "id": graph.id_of("b").await })).await;
    graph
}

#[tokio::test]
async fn a_walk_is_written_in_every_format() {
    let graph = graph().await;
    let from = [graph.id_of("a").await];
    let mut documents = Vec::new();
    for format in ["JSON_LINES", "GRAPHML", "GEXF", "JSON_LD"] {
        let data = graph.data(DOCUMENT, json!({ "from": from, "depth": 1, "format": format })).await;
        documents.push(data["subgraph"]["document"].as_str().unwrap().to_owned());
    }
    assert_snapshot!(documents[0], @r#"
    {"kind":"entity","key":"a","type":"package","name":"package a","confidence":1.0}
    {"kind":"entity","key":"b","type":"package","name":"package b","description":"<b>","confidence":1.0,"properties":{"size":3}}
    {"kind":"relationship","type":"needs","source":"a","target":"b","confidence":1.0}
    "#);
    assert!(documents[1].contains("<data key=\"node.description\">&lt;b&gt;</data>"), "{}", documents[1]);
    assert!(
        documents[2].contains("<edge id=\"0\" source=\"a\" target=\"b\" kind=\"needs\""),
        "{}",
        documents[2]
    );
    let linked: serde_json::Value = serde_json::from_str(&documents[3]).unwrap();
    assert_eq!(linked["@graph"].as_array().map(Vec::len), Some(4));
}

#[tokio::test]
async fn a_document_has_nothing_that_its_reader_does_not_see() {
    let graph = graph().await;
    let b = Resource::new(ResourceKind::ENTITY, graph.id_of("b").await.parse::<Uuid>().unwrap());
    let rights = [(Effect::Deny, Permission::ENTITY_READ, b)].into_iter().collect();
    let narrowed = Arc::new(Caller { rights, ..(*graph.caller).clone() });
    let variables = json!({ "from": [graph.id_of("a").await, graph.id_of("b").await, graph.id_of("c").await], "depth": 3, "format": "JSON_LINES" });
    let seen = graph.ask_as(&narrowed, DOCUMENT, variables.clone()).await;
    assert_snapshot!(seen["data"]["subgraph"]["document"].as_str().unwrap(), @r#"
    {"kind":"entity","key":"a","type":"package","name":"package a","confidence":1.0}
    {"kind":"entity","key":"c","type":"package","name":"package c","confidence":1.0}
    {"kind":"entity","key":"libs","type":"section","name":"Libraries","confidence":1.0}
    {"kind":"relationship","type":"of","source":"c","target":"libs","confidence":1.0}
    "#);
    let stranger = graph.of_another_organization();
    let seen = graph.ask_as(&stranger, DOCUMENT, variables).await;
    assert_eq!(seen["data"]["subgraph"]["document"], json!(""));
}

#[tokio::test]
async fn what_a_format_cannot_have_is_refused_and_the_rest_answered() {
    let graph = graph().await;
    graph.upsert_entities(json!([{ "key": "odd", "type": "package", "name": "a\u{ffff}b" }])).await;
    let query =
        "query ($from: [ID!]!) { subgraph(from: $from) { document(format: GEXF) nodes { distance } } }";
    let response = graph.ask(query, json!({ "from": [graph.id_of("odd").await] })).await;
    assert_eq!(response["data"]["subgraph"], json!({ "document": null, "nodes": [{ "distance": 0 }] }));
    let (code, field, text) = refusal(&response);
    assert_snapshot!(format!("{code} {field}: {text}"), @r#"BAD_USER_INPUT format: the name "a\u{ffff}b" has a character that XML cannot have: choose JSON Lines or JSON-LD"#);
}
