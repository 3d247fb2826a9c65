use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::{Graph, refusal, shown};

const ENTITIES: &str = "mutation ($input: UpsertEntitiesInput!) { upsertEntities(input: $input) \
    { created updated unchanged results { version outcome entity { key name } } } }";
const RELATIONSHIPS: &str = "mutation ($input: UpsertRelationshipsInput!) { upsertRelationships(input: $input) \
    { created updated unchanged results { version outcome relationship { type source { key } target { key } } } } }";

fn item(key: &str, name: &str) -> Value {
    json!({ "key": key, "type": "package", "name": name })
}

#[tokio::test]
async fn a_batch_creates_updates_and_leaves() {
    let graph = Graph::with_packages().await;
    let input = json!({ "items": [item("a", "package a"), item("b", "B"), item("d", "D")] });
    assert_snapshot!(shown(&graph.ask(ENTITIES, json!({ "input": input })).await), @r#"
    {
      "data": {
        "upsertEntities": {
          "created": 1,
          "updated": 1,
          "unchanged": 1,
          "results": [
            {
              "version": 1,
              "outcome": "UNCHANGED",
              "entity": {
                "key": "a",
                "name": "package a"
              }
            },
            {
              "version": 2,
              "outcome": "UPDATED",
              "entity": {
                "key": "b",
                "name": "B"
              }
            },
            {
              "version": 1,
              "outcome": "CREATED",
              "entity": {
                "key": "d",
                "name": "D"
              }
            }
          ]
        }
      }
    }
    "#);

    let before = graph.traces().await;
    let again = graph.data(ENTITIES, json!({ "input": input })).await;
    assert_eq!(again["upsertEntities"]["unchanged"], 3);
    assert_eq!(graph.traces().await[..5], before[..5]);
}

#[tokio::test]
async fn a_batch_of_relationships_creates_updates_and_leaves() {
    let graph = Graph::with_packages().await;
    graph.relate(&[("a", "depends_on", "b"), ("a", "depends_on", "c")]).await;
    let item = |source: &str, target: &str, confidence: f64| json!({ "type": "depends_on", "sourceKey": source, "targetKey": target, "confidence": confidence });
    let input = json!({ "items": [item("a", "b", 1.0), item("a", "c", 0.5), item("b", "c", 1.0)] });
    assert_snapshot!(shown(&graph.ask(RELATIONSHIPS, json!({ "input": input })).await), @r#"
    {
      "data": {
        "upsertRelationships": {
          "created": 1,
          "updated": 1,
          "unchanged": 1,
          "results": [
            {
              "version": 1,
              "outcome": "UNCHANGED",
              "relationship": {
                "type": "depends_on",
                "source": {
                  "key": "a"
                },
                "target": {
                  "key": "b"
                }
              }
            },
            {
              "version": 2,
              "outcome": "UPDATED",
              "relationship": {
                "type": "depends_on",
                "source": {
                  "key": "a"
                },
                "target": {
                  "key": "c"
                }
              }
            },
            {
              "version": 1,
              "outcome": "CREATED",
              "relationship": {
                "type": "depends_on",
                "source": {
                  "key": "b"
                },
                "target": {
                  "key": "c"
                }
              }
            }
          ]
        }
      }
    }
    "#);
}

#[tokio::test]
async fn one_bad_item_refuses_the_whole_batch() {
    let graph = Graph::with_packages().await;
    let before = graph.traces().await;
    let mut bad = item("e", "E");
    bad["confidence"] = json!(1.5);
    let mut refusals = String::new();
    for items in [
        json!([item("d", "D"), item("e", "E"), item("d", "again")]),
        json!([item("d", "D"), bad, item("", "F")]),
        json!([item("d", "D"), { "key": "e", "type": "none", "name": "E" }]),
        json!([]),
    ] {
        let (code, field, text) = refusal(&graph.ask(ENTITIES, json!({ "input": { "items": items } })).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    let item = |source: &str, target: &str| json!({ "type": "depends_on", "sourceKey": source, "targetKey": target });
    for items in [json!([item("a", "b"), item("a", "nowhere")]), json!([item("a", "b"), item("a", "b")])] {
        let response = graph.ask(RELATIONSHIPS, json!({ "input": { "items": items } })).await;
        let (code, field, text) = refusal(&response);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    assert_snapshot!(refusals, @r#"
    BAD_USER_INPUT input.items[2].key: 1 of the items cannot be stored, so none was: items[2]: names the same as items[0]: send each once in a batch
    BAD_USER_INPUT input.items[1].confidence: 2 of the items cannot be stored, so none was: items[1]: `confidence` is 1.5, allowed is 0 to 1; items[2]: `key` has 0 characters, allowed is 1 to 500
    NOT_FOUND input.items[1].type: 1 of the items cannot be stored, so none was: items[1]: there is no entity type "none" in this organization: create it with `createEntityType`
    BAD_USER_INPUT input.items: `items` has 0 items, allowed are 1 to 1000: send several batches
    NOT_FOUND input.items[1].target: 1 of the items cannot be stored, so none was: items[1]: `target` refers to no entity of this organization: none has the key "nowhere"
    BAD_USER_INPUT input.items[1].source: 1 of the items cannot be stored, so none was: items[1]: names the same as items[0]: send each once in a batch
    "#);
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn a_batch_has_at_most_a_thousand_items_and_takes_as_many() {
    let graph = Graph::with_packages().await;
    let items = |count: usize| (0..count).map(|n| item(&format!("k{n}"), "K")).collect::<Vec<_>>();
    let (code, field, text) =
        refusal(&graph.ask(ENTITIES, json!({ "input": { "items": items(1_001) } })).await);
    assert_snapshot!(format!("{code} {field}: {text}"), @"BAD_USER_INPUT input.items: `items` has 1001 items, allowed are 1 to 1000: send several batches");
    let before = graph.store.statistics().statements();
    let created = graph.upsert_entities(json!(items(1_000))).await;
    assert_eq!(created["created"], 1_000);
    assert!(graph.store.statistics().statements() - before < 8);
}

#[tokio::test]
async fn a_repeated_batch_with_the_same_key_answers_the_same() {
    let graph = Graph::with_packages().await;
    let input = json!({ "items": [item("d", "D")], "idempotencyKey": "once" });
    let first = graph.ask(ENTITIES, json!({ "input": input })).await;
    assert_eq!(graph.ask(ENTITIES, json!({ "input": input })).await, first);
}
