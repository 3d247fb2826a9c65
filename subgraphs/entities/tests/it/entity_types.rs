use insta::assert_snapshot;
use pulse_types::{Caller, Effect, Permission, Permissions, Resource, ResourceKind};
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
async fn a_schema_that_entities_are_kept_under_holds_from_their_next_write_on() {
    let graph = Graph::with_packages().await;
    let schema = json!({ "required": ["size"] });
    let input = json!({ "name": "package", "propertiesSchema": schema, "brokenEntities": "KEEP" });
    graph.data(UPDATE, json!({ "input": input })).await;
    let update = "mutation ($input: UpdateEntityInput!) { updateEntity(input: $input) { entity { name properties } } }";
    let id = graph.id_of("a").await;
    let (code, field, text) =
        refusal(&graph.ask(update, json!({ "input": { "id": id, "name": "A" } })).await);
    assert_snapshot!(format!("{code} {field}: {text}"), @r#"BAD_USER_INPUT input.properties/size: `properties` do not fit the type "package": "size" is a required property"#);
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

#[tokio::test]
async fn a_schema_that_entities_do_not_fit_is_refused_with_their_number() {
    let graph = Graph::new().await;
    graph.create_types(&["package", "section"]).await;
    let sized = |key: &str, size: serde_json::Value| json!([{ "key": key, "type": "package", "name": key, "properties": { "size": size } }]);
    // One after the other: they are compared in the order of their creation.
    for (key, size) in [("a", json!(1)), ("b", json!("large")), ("c", json!(-1))] {
        graph.upsert_entities(sized(key, size)).await;
    }
    graph.upsert_entities(json!([{ "key": "libs", "type": "section", "name": "Libraries" }])).await;
    let before = graph.traces().await;
    let schema =
        json!({ "properties": { "size": { "type": "integer", "minimum": 0 } }, "required": ["size"] });
    let change = json!({ "input": { "name": "package", "propertiesSchema": schema } });
    let (code, field, text) = refusal(&graph.ask(UPDATE, change.clone()).await);
    assert_snapshot!(format!("{code} {field}: {text}"), @r#"CONFLICT input.propertiesSchema: 2 of the 3 entities of this type do not fit the schema, such as "b" (properties/size: "large" is not of type "integer"): change them first, or send `brokenEntities: KEEP`"#);
    assert_eq!(graph.traces().await, before);

    for (key, size) in [("b", json!(2)), ("c", json!(3))] {
        graph.upsert_entities(sized(key, size)).await;
    }
    let changed = graph.data(UPDATE, change).await;
    assert_eq!(changed["updateEntityType"]["entityType"]["version"], 2);
    // Entities of other types are not asked.
    let (code, field, text) = refusal(
        &graph
            .ask(
                UPDATE,
                json!({ "input": { "name": "section", "propertiesSchema": { "required": ["size"] } } }),
            )
            .await,
    );
    assert_snapshot!(format!("{code} {field}: {text}"), @r#"CONFLICT input.propertiesSchema: 1 of the 1 entities of this type do not fit the schema, such as "libs" (properties/size: "size" is a required property): change them first, or send `brokenEntities: KEEP`"#);
}

#[tokio::test]
async fn who_does_not_see_all_entities_does_not_hear_whether_they_fit() {
    let graph = Graph::with_packages().await;
    let hidden: uuid::Uuid = graph.id_of("a").await.parse().unwrap();
    let denied = (Effect::Deny, Permission::ENTITY_READ, Resource::new(ResourceKind::ENTITY, hidden));
    let permissions: Permissions =
        [Permission::ENTITY_READ, Permission::ENTITY_TYPE_MANAGE].into_iter().collect();
    let rights = std::iter::once(denied).collect();
    let narrowed = std::sync::Arc::new(Caller { permissions, rights, ..(*graph.caller).clone() });
    let mut input = json!({ "name": "package", "propertiesSchema": { "required": ["size"] } });
    let (code, field, text) = refusal(&graph.ask_as(&narrowed, UPDATE, json!({ "input": input })).await);
    assert_snapshot!(format!("{code} {field}: {text}"), @"CONFLICT input.propertiesSchema: entities that you may not see might not fit the schema: send `brokenEntities: KEEP` to leave them as they are until their next change");
    input["brokenEntities"] = json!("KEEP");
    let response = graph.ask_as(&narrowed, UPDATE, json!({ "input": input })).await;
    assert_eq!(response["data"]["updateEntityType"]["entityType"]["version"], 2, "{response}");
}

#[tokio::test]
async fn each_property_that_does_not_fit_is_told_of() {
    let graph = Graph::new().await;
    let schema = json!({
        "properties": {
            "size": { "type": "integer", "minimum": 0 }, "state": { "enum": ["new", "old"] },
            "code": { "type": "string", "pattern": "^[a-z]+$" }, "at": { "type": "string", "format": "date-time" },
        },
        "required": ["state"], "additionalProperties": false,
    });
    graph.data(CREATE, json!({ "input": { "name": "package", "propertiesSchema": schema } })).await;
    let create = "mutation ($input: CreateEntityInput!) { createEntity(input: $input) { entity { id } } }";
    let properties = json!({ "size": -1, "code": "A1", "at": "yesterday", "colour": "red" });
    let input = json!({ "key": "a", "type": "package", "name": "A", "properties": properties });
    assert_snapshot!(shown(&graph.ask(create, json!({ "input": input })).await), @r#"
    {
      "errors": [
        {
          "message": "`properties` do not fit the type \"package\": /size: -1 is less than the minimum of 0; /code: \"A1\" does not match \"^[a-z]+$\"; /at: \"yesterday\" is not a \"date-time\"",
          "locations": [
            {
              "line": 1,
              "column": 41
            }
          ],
          "path": [
            "createEntity"
          ],
          "extensions": {
            "code": "BAD_USER_INPUT",
            "field": "input.properties/size",
            "problems": [
              {
                "field": "input.properties/size",
                "message": "-1 is less than the minimum of 0"
              },
              {
                "field": "input.properties/code",
                "message": "\"A1\" does not match \"^[a-z]+$\""
              },
              {
                "field": "input.properties/at",
                "message": "\"yesterday\" is not a \"date-time\""
              },
              {
                "field": "input.properties/colour",
                "message": "Additional properties are not allowed ('colour' was unexpected)"
              },
              {
                "field": "input.properties/state",
                "message": "\"state\" is a required property"
              }
            ]
          }
        }
      ],
      "data": null
    }
    "#);
    let upsert =
        "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { created } }";
    let items = json!([
        { "key": "a", "type": "package", "name": "A", "properties": { "state": "new" } },
        { "key": "b", "type": "package", "name": "B", "properties": { "state": "lost", "size": 0.5 } },
        { "key": "c", "type": "none", "name": "C" },
    ]);
    let response = graph.ask(upsert, json!({ "items": items })).await;
    assert_snapshot!(shown(&response["errors"][0]["extensions"]), @r#"
    {
      "code": "BAD_USER_INPUT",
      "field": "input.items[1].properties/state",
      "problems": [
        {
          "field": "input.items[1].properties/state",
          "message": "\"lost\" is not one of \"new\" or \"old\""
        },
        {
          "field": "input.items[1].properties/size",
          "message": "0.5 is not of type \"integer\""
        },
        {
          "field": "input.items[2].type",
          "message": "there is no entity type \"none\" in this organization: create it with `createEntityType`"
        }
      ]
    }
    "#);
    assert_eq!(graph.count("entities.entities").await, 0);
}

#[tokio::test]
async fn entities_have_as_many_properties_as_can_be_found() {
    let graph = Graph::with_packages().await;
    let create = "mutation ($input: CreateEntityInput!) { createEntity(input: $input) { entity { id } } }";
    let many: serde_json::Map<_, _> = (0..201).map(|number| (number.to_string(), json!(1))).collect();
    let mut refusals = String::new();
    for properties in [json!(many), json!({ ("n".repeat(101)): 1 })] {
        let input = json!({ "key": "new", "type": "package", "name": "A", "properties": properties });
        let (code, field, text) = refusal(&graph.ask(create, json!({ "input": input })).await);
        refusals.push_str(&format!("{code} {field}: {text}\n"));
    }
    assert_snapshot!(refusals, @r"
    BAD_USER_INPUT input.properties: `properties` has 201 properties, allowed are 200
    BAD_USER_INPUT input.properties: `properties` has a name of 101 characters, allowed are 100
    ");
}

#[tokio::test]
async fn no_entity_slips_in_under_a_schema_that_is_being_replaced() {
    let graph = Graph::new().await;
    graph.create_types(&["package"]).await;
    let create = "mutation ($input: CreateEntityInput!) { createEntity(input: $input) { entity { id } } }";
    let schema = json!({ "required": ["size"] });
    let change = json!({ "input": { "name": "package", "propertiesSchema": schema } });
    let writes = (0..20).map(|number| {
        let graph = &graph;
        let input = json!({ "key": format!("k{number}"), "type": "package", "name": "A" });
        async move { graph.ask(create, json!({ "input": input })).await.get("errors").is_none() }
    });
    let (created, changed) =
        futures::future::join(futures::future::join_all(writes), graph.ask(UPDATE, change)).await;
    let created = created.into_iter().filter(|created| *created).count();
    // Either all that came before were seen, and the schema was refused, or none was there.
    assert_eq!(changed.get("errors").is_none(), created == 0, "{created} were created: {changed}");
}
