use insta::assert_snapshot;
use serde_json::json;

use crate::{Graph, refusal, shown};

const CREATE: &str = "mutation ($input: CreateEntityTypeInput!) { createEntityType(input: $input) \
    { entityType { id name description propertiesSchema version createdAt updatedAt } } }";
const UPDATE: &str = "mutation ($input: UpdateEntityTypeInput!) { updateEntityType(input: $input) \
    { entityType { name description propertiesSchema version } } }";
const DELETE: &str = "mutation ($input: DeleteEntityTypeInput!) { deleteEntityType(input: $input) { id } }";

#[tokio::test]
async fn a_type_is_created_changed_listed_and_deleted() {
    let graph = Graph::new().await;
    let schema = json!({ "properties": { "size": { "type": "integer" } } });
    let input = json!({ "name": "package", "description": "Software", "propertiesSchema": schema });
    assert_snapshot!(shown(&graph.ask(CREATE, json!({ "input": input })).await), @r#"
    {
      "data": {
        "createEntityType": {
          "entityType": {
            "id": "[id]",
            "name": "package",
            "description": "Software",
            "propertiesSchema": {
              "properties": {
                "size": {
                  "type": "integer"
                }
              }
            },
            "version": 1,
            "createdAt": "2025-06-15T15:06:42+00:00",
            "updatedAt": "2025-06-15T15:06:42+00:00"
          }
        }
      }
    }
    "#);

    let input = json!({ "name": "package", "description": null, "expectedVersion": 1 });
    assert_snapshot!(shown(&graph.ask(UPDATE, json!({ "input": input })).await), @r#"
    {
      "data": {
        "updateEntityType": {
          "entityType": {
            "name": "package",
            "description": null,
            "propertiesSchema": {
              "properties": {
                "size": {
                  "type": "integer"
                }
              }
            },
            "version": 2
          }
        }
      }
    }
    "#);

    graph.create_types(&["section", "author"]).await;
    let list = "{ entityTypes(first: 2) { nodes { name } totalCount pageInfo { hasNextPage } } entityType(name: \"section\") { name } }";
    assert_snapshot!(shown(&graph.ask(list, json!({})).await), @r#"
    {
      "data": {
        "entityTypes": {
          "nodes": [
            {
              "name": "author"
            },
            {
              "name": "package"
            }
          ],
          "totalCount": 3,
          "pageInfo": {
            "hasNextPage": true
          }
        },
        "entityType": {
          "name": "section"
        }
      }
    }
    "#);
    let back = "{ entityTypes(last: 1) { nodes { name } pageInfo { hasPreviousPage } } }";
    assert_snapshot!(shown(&graph.ask(back, json!({})).await), @r#"
    {
      "data": {
        "entityTypes": {
          "nodes": [
            {
              "name": "section"
            }
          ],
          "pageInfo": {
            "hasPreviousPage": true
          }
        }
      }
    }
    "#);

    assert_snapshot!(shown(&graph.ask(DELETE, json!({ "input": { "name": "author" } })).await), @r#"
    {
      "data": {
        "deleteEntityType": {
          "id": "[id]"
        }
      }
    }
    "#);
    assert_eq!(graph.traces().await, [2, 0, 0, 2, 5, 5]);
}

#[tokio::test]
async fn a_type_with_entities_is_not_deleted() {
    let graph = Graph::with_packages().await;
    let before = graph.traces().await;
    let response = graph.ask(DELETE, json!({ "input": { "name": "package" } })).await;
    assert_snapshot!(shown(&response), @r#"
    {
      "errors": [
        {
          "message": "the entity type \"package\" is in use: delete its entities first",
          "locations": [
            {
              "line": 1,
              "column": 45
            }
          ],
          "path": [
            "deleteEntityType"
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
}

#[tokio::test]
async fn a_type_that_is_refused_changes_nothing() {
    let graph = Graph::new().await;
    graph.create_types(&["package"]).await;
    let before = graph.traces().await;
    let mut refusals = String::new();
    for input in [
        json!({ "name": "package" }),
        json!({ "name": "2 words" }),
        json!({ "name": "a", "propertiesSchema": { "type": "text" } }),
        json!({ "name": "a", "propertiesSchema": { "$ref": "https://example.com/schema" } }),
        json!({ "name": "a", "idempotencyKey": "" }),
    ] {
        let (code, field, text) = refusal(&graph.ask(CREATE, json!({ "input": input })).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    for input in [json!({ "name": "none" }), json!({ "name": "package", "expectedVersion": 7 })] {
        let (code, field, text) = refusal(&graph.ask(UPDATE, json!({ "input": input })).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    assert_snapshot!(refusals, @r#"
    CONFLICT : there is already an entity type "package": change it with `updateEntityType`
    BAD_USER_INPUT input.name: `name` is "2 words": a type's name is a letter and up to 63 more letters, digits, `_`, `-` or `.`
    BAD_USER_INPUT input.propertiesSchema: `propertiesSchema` is not a JSON Schema 2020-12 at "/type": "text" is not valid under any of the schemas listed in the 'anyOf' keyword
    BAD_USER_INPUT input.propertiesSchema: `propertiesSchema` refers to "https://example.com/schema": only references into itself, such as `#/$defs/…`, are followed
    BAD_USER_INPUT input.idempotencyKey: an idempotency key has 1 to 255 characters, this one has 0
    NOT_FOUND : there is no entity type "none" in this organization
    CONFLICT input.expectedVersion: the version is 1, not 7: read it again and repeat the change on what it is now
    "#);
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn a_changed_schema_holds_from_the_next_write_on() {
    let graph = Graph::with_packages().await;
    let schema = json!({ "required": ["size"] });
    graph.data(UPDATE, json!({ "input": { "name": "package", "propertiesSchema": schema } })).await;
    let update = "mutation ($input: UpdateEntityInput!) { updateEntity(input: $input) { entity { name properties } } }";
    let id = graph.id_of("a").await;
    let (code, field, text) =
        refusal(&graph.ask(update, json!({ "input": { "id": id, "name": "A" } })).await);
    assert_snapshot!(format!("{code} {field}: {text}"), @r#"BAD_USER_INPUT input.properties: `properties` do not fit the type "package": "size" is a required property"#);
    let input = json!({ "id": id, "name": "A", "properties": { "size": 3 } });
    assert_snapshot!(shown(&graph.ask(update, json!({ "input": input })).await), @r#"
    {
      "data": {
        "updateEntity": {
          "entity": {
            "name": "A",
            "properties": {
              "size": 3
            }
          }
        }
      }
    }
    "#);
}

#[tokio::test]
async fn creating_a_type_again_with_the_same_idempotency_key_answers_the_same() {
    let graph = Graph::new().await;
    let input = json!({ "name": "package", "idempotencyKey": "once" });
    let first = graph.ask(CREATE, json!({ "input": input })).await;
    let before = graph.traces().await;
    assert_eq!(graph.ask(CREATE, json!({ "input": input })).await, first);
    assert_eq!(graph.traces().await, before);
}
