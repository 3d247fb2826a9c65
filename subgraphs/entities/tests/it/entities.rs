use insta::assert_snapshot;
use serde_json::json;

use crate::{Graph, refusal, shown};

const CREATE: &str = "mutation ($input: CreateEntityInput!) { createEntity(input: $input) { entity \
    { id key type entityType { name } name description confidence properties version createdAt updatedAt } } }";
const UPDATE: &str = "mutation ($input: UpdateEntityInput!) { updateEntity(input: $input) { entity \
    { key name description confidence properties version } } }";
const DELETE: &str =
    "mutation ($input: DeleteEntityInput!) { deleteEntity(input: $input) { id deletedRelationships } }";

#[tokio::test]
async fn an_entity_is_created_and_found_by_id_and_by_key() {
    let graph = Graph::new().await;
    graph.create_types(&["package"]).await;
    let input = json!({
        "key": "package:zsh", "type": "package", "name": "zsh", "description": "shell with lots of features",
        "confidence": 0.75, "properties": { "section": "shells", "installedKiB": 2496, "tags": ["a", { "b": null }] },
    });
    assert_snapshot!(shown(&graph.ask(CREATE, json!({ "input": input })).await), @r#"
    {
      "data": {
        "createEntity": {
          "entity": {
            "id": "[id]",
            "key": "package:zsh",
            "type": "package",
            "entityType": {
              "name": "package"
            },
            "name": "zsh",
            "description": "shell with lots of features",
            "confidence": 0.75,
            "properties": {
              "tags": [
                "a",
                {
                  "b": null
                }
              ],
              "section": "shells",
              "installedKiB": 2496
            },
            "version": 1,
            "createdAt": "2025-06-15T15:06:43+00:00",
            "updatedAt": "2025-06-15T15:06:43+00:00"
          }
        }
      }
    }
    "#);

    let id = graph.id_of("package:zsh").await;
    let find = "query ($id: ID!) { byId: entity(id: $id) { key } byKey: entity(key: \"package:zsh\") { properties } \
                none: entity(key: \"package:none\") { id } }";
    assert_snapshot!(shown(&graph.ask(find, json!({ "id": id })).await), @r#"
    {
      "data": {
        "byId": {
          "key": "package:zsh"
        },
        "byKey": {
          "properties": {
            "tags": [
              "a",
              {
                "b": null
              }
            ],
            "section": "shells",
            "installedKiB": 2496
          }
        },
        "none": null
      }
    }
    "#);
}

#[tokio::test]
async fn an_update_keeps_the_old_values_and_tells_what_changed() {
    let graph = Graph::with_packages().await;
    let id = graph.id_of("a").await;
    let input =
        json!({ "id": id, "name": "A", "description": "first", "confidence": 0.5, "expectedVersion": 1 });
    assert_snapshot!(shown(&graph.ask(UPDATE, json!({ "input": input })).await), @r#"
    {
      "data": {
        "updateEntity": {
          "entity": {
            "key": "a",
            "name": "A",
            "description": "first",
            "confidence": 0.5,
            "properties": {},
            "version": 2
          }
        }
      }
    }
    "#);

    let mut connection = graph.database.connect().await.unwrap();
    let history = "SELECT subject || ' ' || version || ' ' || (value ->> 'name') FROM entities.history";
    let history: Vec<String> = sqlx::query_scalar(history).fetch_all(&mut connection).await.unwrap();
    assert_eq!(history, ["entities.entity 1 package a"]);
    let event = "SELECT concat_ws(' ', kind, subject, version, array_to_string(changed, ','), attributes)
                   FROM platform.outbox ORDER BY id DESC LIMIT 1";
    let event: String = sqlx::query_scalar(event).fetch_one(&mut connection).await.unwrap();
    assert_eq!(
        event,
        r#"updated entities.entity 2 name,confidence,description {"type": "package", "keyHash": "ca9"}"#
    );
}

#[tokio::test]
async fn an_update_to_what_is_so_already_changes_nothing() {
    let graph = Graph::with_packages().await;
    let id = graph.id_of("a").await;
    let before = graph.traces().await;
    let input = json!({ "id": id, "name": "package a", "confidence": 1.0, "properties": {} });
    assert_snapshot!(shown(&graph.ask(UPDATE, json!({ "input": input })).await), @r#"
    {
      "data": {
        "updateEntity": {
          "entity": {
            "key": "a",
            "name": "package a",
            "description": null,
            "confidence": 1.0,
            "properties": {},
            "version": 1
          }
        }
      }
    }
    "#);
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn an_entity_is_deleted_with_its_relationships_unless_asked_otherwise() {
    let graph = Graph::with_packages().await;
    graph.relate(&[("a", "depends_on", "b"), ("c", "depends_on", "a"), ("a", "in_section", "libs")]).await;
    let id = graph.id_of("a").await;
    let before = graph.traces().await;
    let refused = graph.ask(DELETE, json!({ "input": { "id": id, "refuseIfRelated": true } })).await;
    assert_snapshot!(shown(&refused), @r#"
    {
      "errors": [
        {
          "message": "the entity \"a\" has 3 relationships and is in use: delete them first, or send `refuseIfRelated: false`",
          "locations": [
            {
              "line": 1,
              "column": 41
            }
          ],
          "path": [
            "deleteEntity"
          ],
          "extensions": {
            "code": "CONFLICT"
          }
        }
      ],
      "data": null
    }
    "#);
    assert_eq!(graph.traces().await, before);

    assert_snapshot!(shown(&graph.ask(DELETE, json!({ "input": { "id": id } })).await), @r#"
    {
      "data": {
        "deleteEntity": {
          "id": "[id]",
          "deletedRelationships": 3
        }
      }
    }
    "#);
    let [types, entities, relationships, history, events, audit] = before;
    let after = [types, entities - 1, relationships - 3, history + 4, events + 4, audit + 1];
    assert_eq!(graph.traces().await, after);
}

#[tokio::test]
async fn what_is_wrong_with_an_entity_is_said_and_nothing_changes() {
    let graph = Graph::with_packages().await;
    let before = graph.traces().await;
    let mut refusals = String::new();
    let long = "k".repeat(501);
    for (key, name, type_name, confidence) in [
        ("a", "A", "package", 1.0),
        ("", "A", "package", 1.0),
        (&*long, "A", "package", 1.0),
        ("d", "line\nbreak", "package", 1.0),
        ("d", "D", "unknown", 1.0),
        ("d", "D", "no type", 1.0),
        ("d", "D", "package", 1.5),
        ("d", "D", "package", -0.1),
    ] {
        let input = json!({ "key": key, "name": name, "type": type_name, "confidence": confidence });
        let (code, field, text) = refusal(&graph.ask(CREATE, json!({ "input": input })).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    assert_snapshot!(refusals, @r#"
    CONFLICT : there is already an entity with the key "a": change it with `updateEntity` or `upsertEntities`
    BAD_USER_INPUT input.key: `key` has 0 characters, allowed is 1 to 500
    BAD_USER_INPUT input.key: `key` has 501 characters, allowed is 1 to 500
    BAD_USER_INPUT input.name: `name` contains a control character
    NOT_FOUND input.type: there is no entity type "unknown" in this organization: create it with `createEntityType`
    BAD_USER_INPUT input.type: `type` is "no type": a type's name is a letter and up to 63 more letters, digits, `_`, `-` or `.`
    BAD_USER_INPUT input.confidence: `confidence` is 1.5, allowed is 0 to 1
    BAD_USER_INPUT input.confidence: `confidence` is -0.1, allowed is 0 to 1
    "#);
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn a_request_that_does_not_fit_the_schema_is_refused() {
    let graph = Graph::with_packages().await;
    for query in [
        "{ entities { nodes { unknown } } }",
        "{ entities(first: \"many\") { nodes { id } } }",
        "query ($id: ID!) { entity(id: $id) { id } }",
        "mutation { createEntity(input: { key: 1, type: \"package\", name: \"n\" }) { entity { id } } }",
        "{ entity(id: \"not an id\") { id } }",
    ] {
        let response = graph.ask(query, json!({})).await;
        assert!(response["errors"].is_array(), "{query}: {response}");
    }
    let (code, field, text) = refusal(&graph.ask("{ entity { id } }", json!({})).await);
    assert_snapshot!(format!("{code} {field}: {text}"), @"BAD_USER_INPUT id: `entity` needs either `id` or `key`");
}

#[tokio::test]
async fn a_version_that_is_not_the_expected_one_is_a_conflict() {
    let graph = Graph::with_packages().await;
    let id = graph.id_of("a").await;
    let before = graph.traces().await;
    let input = json!({ "id": id, "name": "A", "expectedVersion": 4 });
    let (code, field, text) = refusal(&graph.ask(UPDATE, json!({ "input": input })).await);
    assert_snapshot!(format!("{code} {field}: {text}"), @"CONFLICT input.expectedVersion: the version is 1, not 4: read it again and repeat the change on what it is now");
    let input = json!({ "id": id, "expectedVersion": 4 });
    assert_eq!(refusal(&graph.ask(DELETE, json!({ "input": input })).await).0, "CONFLICT");
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn creating_an_entity_twice_with_one_idempotency_key_makes_one() {
    let graph = Graph::with_packages().await;
    let input = |name: &str| json!({ "key": "d", "type": "package", "name": name, "idempotencyKey": "once" });
    let first = graph.ask(CREATE, json!({ "input": input("D") })).await;
    assert_eq!(first.get("errors"), None);
    let before = graph.traces().await;
    assert_eq!(graph.ask(CREATE, json!({ "input": input("D") })).await, first);
    let (code, field, _) = refusal(&graph.ask(CREATE, json!({ "input": input("another") })).await);
    assert_eq!((code.as_str(), field.as_str()), ("CONFLICT", "input.idempotencyKey"));
    assert_eq!(graph.traces().await, before);
}
