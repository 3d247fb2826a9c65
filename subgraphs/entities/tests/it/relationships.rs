use insta::assert_snapshot;
use serde_json::json;

use crate::{Graph, refusal, shown};

const CREATE: &str = "mutation ($input: CreateRelationshipInput!) { createRelationship(input: $input) { relationship \
    { id type source { key } target { key } confidence properties version createdAt updatedAt } } }";
const UPDATE: &str = "mutation ($input: UpdateRelationshipInput!) { updateRelationship(input: $input) { relationship \
    { type confidence properties version } } }";
const DELETE: &str =
    "mutation ($input: DeleteRelationshipInput!) { deleteRelationship(input: $input) { id } }";

#[tokio::test]
async fn a_relationship_is_created_by_ids_and_by_keys() {
    let graph = Graph::with_packages().await;
    let input = json!({
        "type": "depends_on", "sourceKey": "a", "targetId": graph.id_of("b").await,
        "confidence": 0.9, "properties": { "since": "1.0" },
    });
    let created = graph.ask(CREATE, json!({ "input": input })).await;
    assert_snapshot!(shown(&created), @r#"
    {
      "data": {
        "createRelationship": {
          "relationship": {
            "id": "[id]",
            "type": "depends_on",
            "source": {
              "key": "a"
            },
            "target": {
              "key": "b"
            },
            "confidence": 0.9,
            "properties": {
              "since": "1.0"
            },
            "version": 1,
            "createdAt": "2025-06-15T15:06:45+00:00",
            "updatedAt": "2025-06-15T15:06:45+00:00"
          }
        }
      }
    }
    "#);
    let id = &created["data"]["createRelationship"]["relationship"]["id"];

    let input = json!({ "id": id, "confidence": 0.5, "expectedVersion": 1 });
    assert_snapshot!(shown(&graph.ask(UPDATE, json!({ "input": input })).await), @r#"
    {
      "data": {
        "updateRelationship": {
          "relationship": {
            "type": "depends_on",
            "confidence": 0.5,
            "properties": {
              "since": "1.0"
            },
            "version": 2
          }
        }
      }
    }
    "#);
    let before = graph.traces().await;
    assert_eq!(
        graph.data(UPDATE, json!({ "input": { "id": id, "confidence": 0.5 } })).await["updateRelationship"]["relationship"]
            ["version"],
        2
    );
    assert_eq!(graph.traces().await, before);

    let find =
        "query ($id: ID!) { relationship(id: $id) { type source { name } target { name description } } }";
    assert_snapshot!(shown(&graph.ask(find, json!({ "id": id })).await), @r#"
    {
      "data": {
        "relationship": {
          "type": "depends_on",
          "source": {
            "name": "package a"
          },
          "target": {
            "name": "package b",
            "description": null
          }
        }
      }
    }
    "#);

    graph.data(DELETE, json!({ "input": { "id": id } })).await;
    assert_snapshot!(shown(&graph.ask(find, json!({ "id": id })).await), @r#"
    {
      "data": {
        "relationship": null
      }
    }
    "#);
    let (code, _, text) = refusal(&graph.ask(DELETE, json!({ "input": { "id": id } })).await);
    assert!(code == "NOT_FOUND" && text.starts_with("there is no relationship with the id"), "{text}");
}

#[tokio::test]
async fn what_is_wrong_with_a_relationship_is_said_and_nothing_changes() {
    let graph = Graph::with_packages().await;
    graph.relate(&[("a", "depends_on", "b")]).await;
    let before = graph.traces().await;
    let mut refusals = String::new();
    let nowhere = "01890a5d-ac96-774b-bcce-b302099a8057";
    for input in [
        json!({ "type": "depends_on", "sourceKey": "a", "targetKey": "nowhere" }),
        json!({ "type": "depends_on", "sourceId": nowhere, "targetKey": "a" }),
        json!({ "type": "depends_on", "sourceKey": "a", "targetKey": "b" }),
        json!({ "type": "depends on", "sourceKey": "a", "targetKey": "c" }),
        json!({ "type": "depends_on", "sourceKey": "a", "targetKey": "c", "confidence": 1.5 }),
        json!({ "type": "depends_on", "sourceKey": "a" }),
        json!({ "type": "depends_on", "sourceKey": "a", "sourceId": nowhere, "targetKey": "c" }),
    ] {
        let (code, field, text) = refusal(&graph.ask(CREATE, json!({ "input": input })).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    assert_snapshot!(refusals, @r#"
    NOT_FOUND input.target: `target` refers to no entity of this organization: none has the key "nowhere"
    NOT_FOUND input.source: `source` refers to no entity of this organization: none has the id 01890a5d-ac96-774b-bcce-b302099a8057
    CONFLICT : there is already a relationship "depends_on" from that source to that target: change it with `updateRelationship` or `upsertRelationships`
    BAD_USER_INPUT input.type: `type` is "depends on": a type's name is a letter and up to 63 more letters, digits, `_`, `-` or `.`
    BAD_USER_INPUT input.confidence: `confidence` is 1.5, allowed is 0 to 1
    BAD_USER_INPUT input.targetId: `input` needs either `targetId` or `targetKey`
    BAD_USER_INPUT input.sourceId: `input` needs either `sourceId` or `sourceKey`
    "#);
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn relationships_are_listed_by_type_source_and_target() {
    let graph = Graph::with_packages().await;
    graph
        .relate(&[
            ("a", "depends_on", "b"),
            ("a", "suggests", "c"),
            ("b", "depends_on", "c"),
            ("c", "depends_on", "c"),
        ])
        .await;
    let list = "query ($filter: RelationshipFilter, $first: Int, $after: String, $last: Int, $before: String) \
        { relationships(filter: $filter, first: $first, after: $after, last: $last, before: $before) \
        { nodes { type source { key } target { key } } pageInfo { endCursor startCursor hasNextPage hasPreviousPage } totalCount } }";
    let keys = |data: &serde_json::Value| -> Vec<String> {
        let nodes = data["relationships"]["nodes"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        nodes
            .iter()
            .map(|node| [&node["source"]["key"], &node["type"], &node["target"]["key"]].map(text).join(" "))
            .collect()
    };
    let of_a = graph.data(list, json!({ "filter": { "source": graph.id_of("a").await } })).await;
    assert_eq!(keys(&of_a), ["a depends_on b", "a suggests c"]);
    assert_eq!(of_a["relationships"]["totalCount"], 2);
    let to_c = graph
        .data(list, json!({ "filter": { "target": graph.id_of("c").await, "type": "depends_on" } }))
        .await;
    assert_eq!(keys(&to_c).len(), 2);
    let first = graph.data(list, json!({ "filter": { "target": graph.id_of("c").await }, "first": 2 })).await;
    let after = &first["relationships"]["pageInfo"]["endCursor"];
    let rest = graph
        .data(list, json!({ "filter": { "target": graph.id_of("c").await }, "first": 2, "after": after }))
        .await;
    assert_eq!(keys(&rest), ["a suggests c"]);
    let ending = graph.data(list, json!({ "last": 1 })).await;
    assert_eq!(ending["relationships"]["pageInfo"]["hasPreviousPage"], true);
    let before = &ending["relationships"]["pageInfo"]["startCursor"];
    assert_eq!(keys(&graph.data(list, json!({ "last": 9, "before": before })).await).len(), 3);
    let (code, _, text) = refusal(&graph.ask(list, json!({ "after": after })).await);
    assert!(code == "BAD_USER_INPUT" && text.contains("cursor"), "{text}");
}
