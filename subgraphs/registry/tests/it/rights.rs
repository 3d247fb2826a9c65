//! Who may what, and what another tenant sees.

use pulse_types::Role;
use serde_json::{Value, json};

use crate::stage::{Stage, caller_of};

#[tokio::test]
async fn another_tenant_sees_nothing_and_has_names_of_its_own() {
    let stage = Stage::new().await;
    stage.publish("users", "type Query { a: Int }").await;
    let list = "{ schemaVariants { totalCount nodes { name } }
        schemaVersions(filter: { environment: \"production\" }) { totalCount }
        schemaCompositions(filter: { environment: \"production\" }) { totalCount }
        schemaVariant(environment: \"production\") { id } }";
    let nothing = json!({
        "schemaVariants": { "totalCount": 0, "nodes": [] },
        "schemaVersions": { "totalCount": 0 },
        "schemaCompositions": { "totalCount": 0 },
        "schemaVariant": null,
    });
    assert_eq!(stage.data(&stage.stranger, list, json!({})).await, nothing);
    let own = stage.publish_as(&stage.stranger, "users", "type Query { b: Int }").await;
    assert_eq!(own["composition"]["number"], 1);
    let mine = stage.data(&stage.admin, list, json!({})).await;
    assert_eq!(mine["schemaCompositions"]["totalCount"], 1);
    let id = mine["schemaVariant"]["id"].clone();
    let entity = "query ($r: [_Any!]!) { _entities(representations: $r) { ... on SchemaVariant { name } } }";
    let representations = json!({ "r": [{ "__typename": "SchemaVariant", "id": id }] });
    let seen = stage.data(&stage.stranger, entity, representations.clone()).await;
    assert_eq!(seen, json!({ "_entities": [null] }));
    let seen = stage.data(&stage.admin, entity, representations).await;
    assert_eq!(seen, json!({ "_entities": [{ "name": "current" }] }));
}

#[tokio::test]
async fn viewers_read_members_publish_and_admins_go_back() {
    let stage = Stage::new().await;
    stage.publish("users", "type Query { a: Int }").await;
    stage.publish("users", "type Query { b: Int }").await;
    let org = stage.admin.org.unwrap();
    let (viewer, member) = (caller_of(org, Role::Viewer), caller_of(org, Role::Member));
    let read = "{ schemaVariant(environment: \"production\") { current { supergraphHash } } }";
    let publish = "mutation { publishSubgraph(input: { environment: \"production\", subgraph: \"users\", sdl: \"type Query { c: Int }\" }) { isPublished } }";
    let remove = "mutation { removeSubgraph(input: { environment: \"production\", subgraph: \"users\" }) { isRemoved } }";
    let back =
        "mutation { rollBackSchema(input: { environment: \"production\" }) { composition { number } } }";
    let refused = async |who, document| {
        let (code, _, text) = stage.refusal(who, document, json!({})).await;
        assert_eq!(code, "FORBIDDEN", "{text}");
    };
    assert!(stage.data(&viewer, read, json!({})).await["schemaVariant"]["current"].is_object());
    refused(&viewer, publish).await;
    refused(&viewer, back).await;
    assert_eq!(stage.data(&member, publish, json!({})).await["publishSubgraph"]["isPublished"], true);
    refused(&member, remove).await;
    refused(&member, back).await;
    let restored = stage.data(&stage.admin, back, json!({})).await;
    assert_eq!(restored["rollBackSchema"]["composition"]["number"], 4);
    let mut nobody = viewer.clone();
    nobody.permissions = pulse_types::Permissions::none();
    assert_eq!(stage.refusal(&nobody, read, Value::Null).await.0, "FORBIDDEN");
}
