use std::sync::Arc;

use pulse_types::{Caller, RequestId, Role};
use serde_json::{Value, json};

use crate::{Graph, refusal};

const EVERYTHING: &str = "query ($entity: ID!, $relationship: ID!) { entity(id: $entity) { id } byKey: entity(key: \"a\") { id } \
    entities { nodes { id } totalCount } relationship(id: $relationship) { id } relationships { nodes { id } totalCount } \
    ofEntity: relationships(filter: { source: $entity }) { nodes { id } } entityType(name: \"package\") { id } \
    entityTypes { nodes { id } totalCount } _entities(representations: [{ __typename: \"Entity\", id: $entity }, \
    { __typename: \"Relationship\", id: $relationship }]) { __typename } }";

/// A graph, and the ids of an entity and of a relationship in it.
async fn graph() -> (Graph, Value, Value) {
    let graph = Graph::with_packages().await;
    graph.relate(&[("a", "depends_on", "b")]).await;
    let relationship = graph.data("{ relationships { nodes { id } } }", json!({})).await;
    let entity = json!(graph.id_of("a").await);
    let relationship = relationship["relationships"]["nodes"][0]["id"].clone();
    (graph, entity, relationship)
}

/// Every mutation, as (query, input).
fn mutations(entity: &Value, relationship: &Value) -> Vec<(&'static str, Value)> {
    vec![
        (
            "mutation ($input: CreateEntityTypeInput!) { createEntityType(input: $input) { __typename } }",
            json!({ "name": "new" }),
        ),
        (
            "mutation ($input: UpdateEntityTypeInput!) { updateEntityType(input: $input) { __typename } }",
            json!({ "name": "package", "description": "new" }),
        ),
        (
            "mutation ($input: DeleteEntityTypeInput!) { deleteEntityType(input: $input) { __typename } }",
            json!({ "name": "package" }),
        ),
        (
            "mutation ($input: CreateEntityInput!) { createEntity(input: $input) { __typename } }",
            json!({ "key": "new", "type": "package", "name": "new" }),
        ),
        (
            "mutation ($input: UpdateEntityInput!) { updateEntity(input: $input) { __typename } }",
            json!({ "id": entity, "name": "new" }),
        ),
        (
            "mutation ($input: DeleteEntityInput!) { deleteEntity(input: $input) { __typename } }",
            json!({ "id": entity }),
        ),
        (
            "mutation ($input: UpsertEntitiesInput!) { upsertEntities(input: $input) { __typename } }",
            json!({ "items": [{ "key": "a", "type": "package", "name": "new" }] }),
        ),
        (
            "mutation ($input: CreateRelationshipInput!) { createRelationship(input: $input) { __typename } }",
            json!({ "type": "new", "sourceId": entity, "targetKey": "b" }),
        ),
        (
            "mutation ($input: UpdateRelationshipInput!) { updateRelationship(input: $input) { __typename } }",
            json!({ "id": relationship, "confidence": 0.1 }),
        ),
        (
            "mutation ($input: DeleteRelationshipInput!) { deleteRelationship(input: $input) { __typename } }",
            json!({ "id": relationship }),
        ),
        (
            "mutation ($input: UpsertRelationshipsInput!) { upsertRelationships(input: $input) { __typename } }",
            json!({ "items": [{ "type": "depends_on", "sourceKey": "a", "targetKey": "c" }] }),
        ),
    ]
}

#[tokio::test]
async fn caller_of_another_organization_sees_nothing() {
    let (graph, entity, relationship) = graph().await;
    let stranger = graph.of_another_organization();
    let variables = json!({ "entity": entity, "relationship": relationship });
    let seen = graph.ask_as(&stranger, EVERYTHING, variables.clone()).await;
    let empty = json!({ "nodes": [], "totalCount": 0 });
    let expected = json!({ "data": {
        "entity": null, "byKey": null, "entities": empty, "relationship": null, "relationships": empty,
        "ofEntity": { "nodes": [] }, "entityType": null, "entityTypes": empty, "_entities": [null, null],
    } });
    assert_eq!(seen, expected);
    let own = graph.data(EVERYTHING, variables).await;
    assert_eq!(own["_entities"], json!([{ "__typename": "Entity" }, { "__typename": "Relationship" }]));
    assert_eq!(own["entities"]["totalCount"], 4);
}

#[tokio::test]
async fn caller_of_another_organization_changes_nothing() {
    let (graph, entity, relationship) = graph().await;
    let stranger = graph.of_another_organization();
    let before = graph.traces().await;
    for (query, input) in mutations(&entity, &relationship) {
        if query.contains("createEntityType") {
            continue;
        }
        let (code, _, text) = refusal(&graph.ask_as(&stranger, query, json!({ "input": input })).await);
        assert_eq!(code, "NOT_FOUND", "{query}: {text}");
    }
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn a_relationship_does_not_lead_into_another_organization() {
    let (graph, entity, _) = graph().await;
    let stranger = graph.of_another_organization();
    let create = "mutation { createEntityType(input: { name: \"package\" }) { __typename } \
                  createEntity(input: { key: \"a\", type: \"package\", name: \"mine\" }) { entity { id } } }";
    let created = graph.ask_as(&stranger, create, json!({})).await;
    assert_eq!(created.get("errors"), None, "{created}");
    let before = graph.traces().await;
    let relate =
        "mutation ($input: CreateRelationshipInput!) { createRelationship(input: $input) { __typename } }";
    let input = json!({ "type": "depends_on", "sourceKey": "a", "targetId": entity });
    let (code, field, text) = refusal(&graph.ask_as(&stranger, relate, json!({ "input": input })).await);
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.target"));
    assert!(text.starts_with("`target` refers to no entity of this organization"), "{text}");
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn callers_without_rights_are_refused_everywhere() {
    let (graph, entity, relationship) = graph().await;
    let request = RequestId::new(graph.store.clock().now());
    let before = graph.traces().await;
    let mut nobody_in_particular = (*graph.with_role(Role::Viewer)).clone();
    nobody_in_particular.org = None;
    for (caller, expected) in [
        (graph.with_role(Role::Viewer), "FORBIDDEN"),
        (Arc::new(nobody_in_particular), "FORBIDDEN"),
        (Arc::new(Caller::anonymous(request)), "UNAUTHENTICATED"),
    ] {
        for (query, input) in mutations(&entity, &relationship) {
            let (code, _, text) = refusal(&graph.ask_as(&caller, query, json!({ "input": input })).await);
            assert_eq!(code, expected, "{query}: {text}");
        }
    }
    let anonymous = Arc::new(Caller::anonymous(request));
    for query in [
        "{ entity(key: \"a\") { id } }",
        "{ entities { nodes { id } } }",
        "{ relationship(id: \"01890a5d-ac96-774b-bcce-b302099a8057\") { id } }",
        "{ relationships { nodes { id } } }",
        "{ entityType(name: \"package\") { id } }",
        "{ entityTypes { nodes { id } } }",
        "{ entityGroups { groups { count } } }",
        "{ entityFacets(filter: { type: \"package\" }, properties: [{ name: \"size\" }]) { property } }",
        "{ _entities(representations: [{ __typename: \"Entity\", id: \"01890a5d-ac96-774b-bcce-b302099a8057\" }]) { __typename } }",
    ] {
        let response = graph.ask_as(&anonymous, query, json!({})).await;
        assert_eq!(refusal(&response).0, "UNAUTHENTICATED", "{query}");
    }
    assert_eq!(graph.traces().await, before);
}

#[tokio::test]
async fn a_member_writes_entities_but_does_not_manage_types() {
    let (graph, entity, relationship) = graph().await;
    let member = graph.with_role(Role::Member);
    for (query, input) in mutations(&entity, &relationship) {
        let response = graph.ask_as(&member, query, json!({ "input": input })).await;
        // What an earlier mutation has deleted is no longer there, which is no question of rights.
        let forbidden = response["errors"][0]["extensions"]["code"] == "FORBIDDEN";
        assert_eq!(forbidden, query.contains("EntityTypeInput"), "{query}: {response}");
    }
}

#[tokio::test]
async fn the_app_role_without_a_tenant_sees_no_row() {
    let (graph, ..) = graph().await;
    let mut connection = graph.database.connect().await.unwrap();
    for setting in ["RESET pulse.org_id", "SET pulse.org_id = ''"] {
        let open = format!("SET ROLE pulse_app; {setting}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(open)).execute(&mut connection).await.unwrap();
        for table in ["types", "entities", "relationships", "history", "properties"] {
            let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM entities.{table}"));
            let seen: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.unwrap();
            assert_eq!(seen, 0, "{table}");
        }
    }
}
