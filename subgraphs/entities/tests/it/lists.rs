use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{Graph, refusal, shown};

const LIST: &str = "query ($filter: EntityFilter, $orderBy: EntityOrder, $first: Int, $after: String, $last: Int, $before: String) \
    { entities(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) \
    { nodes { key } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } }";

/// Nine entities: keys k0 to k8, names and confidences in other orders, some equal.
async fn graph() -> Graph {
    let graph = Graph::new().await;
    graph.create_types(&["even", "odd"]).await;
    for n in 0..9 {
        let name = format!("{} {}", ["lib", "Lib", "bin"][n % 3], n / 6);
        let confidence = [0.25, 0.5, 1.0][n / 3];
        let item = json!([{
            "key": format!("k{n}"), "type": if n % 2 == 0 { "even" } else { "odd" },
            "name": name, "confidence": confidence,
        }]);
        graph.upsert_entities(item).await;
    }
    graph
}

fn keys(data: &Value) -> Vec<String> {
    let nodes = data["entities"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn every_order_pages_through_all_entities_both_ways() {
    let graph = graph().await;
    for field in ["NAME", "KEY", "CREATED_AT", "UPDATED_AT", "CONFIDENCE"] {
        for direction in ["ASC", "DESC"] {
            let order = json!({ "field": field, "direction": direction });
            let all = keys(&graph.data(LIST, json!({ "orderBy": order, "first": 100 })).await);
            assert_eq!(all.len(), 9);
            let (mut forwards, mut after) = (Vec::new(), Value::Null);
            loop {
                let page = graph.data(LIST, json!({ "orderBy": order, "first": 2, "after": after })).await;
                forwards.extend(keys(&page));
                after = page["entities"]["pageInfo"]["endCursor"].clone();
                if page["entities"]["pageInfo"]["hasNextPage"] == false {
                    break;
                }
            }
            assert_eq!(forwards, all, "{field} {direction}");
            let (mut backwards, mut before) = (Vec::new(), Value::Null);
            loop {
                let page = graph.data(LIST, json!({ "orderBy": order, "last": 4, "before": before })).await;
                backwards.splice(0..0, keys(&page));
                before = page["entities"]["pageInfo"]["startCursor"].clone();
                if page["entities"]["pageInfo"]["hasPreviousPage"] == false {
                    break;
                }
            }
            assert_eq!(backwards, all, "{field} {direction} backwards");
        }
    }
}

#[tokio::test]
async fn orders_are_those_of_their_fields() {
    let graph = graph().await;
    let mut orders = String::new();
    for field in ["NAME", "KEY", "CREATED_AT", "UPDATED_AT", "CONFIDENCE"] {
        let order = json!({ "field": field, "direction": "DESC" });
        let data = graph.data(LIST, json!({ "orderBy": order })).await;
        orders.push_str(&format!("{field} {}\n", keys(&data).join(" ")));
    }
    assert_snapshot!(orders, @r"
    NAME k6 k3 k0 k8 k5 k2 k7 k4 k1
    KEY k8 k7 k6 k5 k4 k3 k2 k1 k0
    CREATED_AT k8 k7 k6 k5 k4 k3 k2 k1 k0
    UPDATED_AT k8 k7 k6 k5 k4 k3 k2 k1 k0
    CONFIDENCE k8 k7 k6 k5 k4 k3 k2 k1 k0
    ");
}

#[tokio::test]
async fn each_filter_narrows_and_all_given_must_hold() {
    let graph = graph().await;
    let created = graph.data("{ entity(key: \"k4\") { createdAt updatedAt } }", json!({})).await;
    let (created, updated) = (&created["entity"]["createdAt"], &created["entity"]["updatedAt"]);
    let mut found = String::new();
    for filter in [
        json!({}),
        json!({ "type": "odd" }),
        json!({ "type": "none" }),
        json!({ "keys": ["k7", "k1", "none"] }),
        json!({ "namePrefix": "lib" }),
        json!({ "namePrefix": "" }),
        json!({ "namePrefix": "%" }),
        json!({ "confidence": { "min": 0.5 } }),
        json!({ "confidence": { "min": 0.3, "max": 0.6 } }),
        json!({ "createdAt": { "from": created } }),
        json!({ "createdAt": { "before": created } }),
        json!({ "updatedAt": { "from": updated } }),
        json!({ "type": "even", "namePrefix": "bin", "confidence": { "max": 0.5 } }),
    ] {
        let data = graph.data(LIST, json!({ "filter": filter })).await;
        let listed = keys(&data);
        assert_eq!(data["entities"]["totalCount"], listed.len());
        found.push_str(&format!("{}\n", listed.join(" ")));
    }
    assert_snapshot!(found, @r"
    k0 k1 k2 k3 k4 k5 k6 k7 k8
    k1 k3 k5 k7

    k1 k7
    k0 k3 k6
    k0 k1 k2 k3 k4 k5 k6 k7 k8

    k3 k4 k5 k6 k7 k8
    k3 k4 k5
    k4 k5 k6 k7 k8
    k0 k1 k2 k3
    k4 k5 k6 k7 k8
    k2
    ");
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let graph = graph().await;
    let page = graph.data(LIST, json!({ "first": 1 })).await;
    let cursor = &page["entities"]["pageInfo"]["endCursor"];
    let mut refusals = String::new();
    for variables in [
        json!({ "first": 0 }),
        json!({ "first": 101 }),
        json!({ "first": 1, "last": 1 }),
        json!({ "after": "nonsense" }),
        json!({ "after": cursor, "orderBy": { "field": "NAME" } }),
        json!({ "filter": { "keys": vec!["k"; 101] } }),
        json!({ "filter": { "confidence": { "min": 1.5 } } }),
        json!({ "filter": { "namePrefix": "\0" } }),
    ] {
        let (code, field, text) = refusal(&graph.ask(LIST, variables).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    assert_snapshot!(refusals, @r"
    BAD_USER_INPUT first: `first` is 0, allowed is 1 to 100
    BAD_USER_INPUT first: `first` is 101, allowed is 1 to 100
    BAD_USER_INPUT : page forwards with `first` and `after`, or backwards with `last` and `before`, not with both
    BAD_USER_INPUT : this cursor is not from this list with this order: start again without it
    BAD_USER_INPUT : this cursor is not from this list with this order: start again without it
    BAD_USER_INPUT filter.keys: `keys` has 101 keys, allowed are 100
    BAD_USER_INPUT confidence: `confidence` is 1.5, allowed is 0 to 1
    BAD_USER_INPUT filter: `filter` contains the character U+0000
    ");
}

#[tokio::test]
async fn details_are_read_whichever_way_they_are_asked_for() {
    let graph = Graph::new().await;
    graph.create_types(&["package"]).await;
    graph
        .upsert_entities(json!([
            { "key": "a", "type": "package", "name": "A", "description": "the first", "properties": { "n": 1 } }
        ]))
        .await;
    let query = "{ entities { edges { node { ...Details } } } \
                 named: entities(orderBy: { field: NAME }) { nodes { ... on Entity { description } } } } \
                 fragment Details on Entity { properties }";
    assert_snapshot!(shown(&graph.ask(query, json!({})).await), @r#"
    {
      "data": {
        "entities": {
          "edges": [
            {
              "node": {
                "properties": {
                  "n": 1
                }
              }
            }
          ]
        },
        "named": {
          "nodes": [
            {
              "description": "the first"
            }
          ]
        }
      }
    }
    "#);
}
