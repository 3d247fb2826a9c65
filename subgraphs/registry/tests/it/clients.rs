//! Client applications: what they publish for a graph of one's own counts as used, and checks name them.

use serde_json::{Value, json};

use crate::stage::Stage;

const OLD: &str =
    "type Query { me: User } type User @key(fields: \"id\") { id: ID! name: String mail: String }";
const WITHOUT_NAME: &str = "type Query { me: User } type User @key(fields: \"id\") { id: ID! mail: String }";

const CREATE: &str = "mutation ($input: CreateClientAppInput!) { createClientApp(input: $input) { clientApp { id version } } }";
const UPDATE: &str =
    "mutation ($input: UpdateClientAppInput!) { updateClientApp(input: $input) { clientApp { version } } }";
const PUBLISH: &str =
    "mutation ($input: PublishOperationsInput!) { publishOperations(input: $input) { isUnchanged
    manifest { clientVersion environment variant operationCount } } }";
const RETIRE: &str =
    "mutation ($input: RetireOperationsInput!) { retireOperations(input: $input) { clientApp { id } } }";

/// A partner, of whose operations one is a tool.
async fn partner(stage: &Stage) -> String {
    let made = stage.data(&stage.admin, CREATE, json!({ "input": { "name": "partner" } })).await;
    let id = made["createClientApp"]["clientApp"]["id"].as_str().unwrap().to_owned();
    let tools = json!([{ "operation": "Me", "description": "Says who somebody is." }]);
    stage.data(&stage.admin, UPDATE, json!({ "input": { "id": id, "tools": tools } })).await;
    id
}

fn manifest(version: &str, operations: &Value) -> Value {
    json!({ "input": { "client": "partner", "version": version, "environment": "production", "manifest": operations.to_string() } })
}

#[tokio::test]
async fn what_is_published_counts_as_used_until_it_is_retired() {
    let stage = Stage::new().await;
    stage.publish("users", OLD).await;
    partner(&stage).await;
    let operations = json!({ "1": "query Me { me { name } }", "2": "query Mail { me { mail } }" });
    let published = stage.data(&stage.admin, PUBLISH, manifest("7", &operations)).await;
    let shown = &published["publishOperations"]["manifest"];
    assert_eq!(
        *shown,
        json!({ "clientVersion": "7", "environment": "production", "variant": "current", "operationCount": 2 })
    );

    let check = stage.check("production", "users", WITHOUT_NAME).await;
    assert_eq!((&check["verdict"], &check["isAccepted"]), (&json!("BREAKING"), &json!(false)), "{check}");
    let change = &check["changes"][0];
    let user = json!({ "operationName": "Me", "clientName": "partner", "clientVersion": "7", "requests": 0,
        "lastSeenAt": null, "isDeclared": true });
    assert_eq!(change["users"], json!([user]));
    assert_eq!(
        change["surfaces"],
        json!([
            { "kind": "REST_ROUTE", "name": "GET /me" },
            { "kind": "MCP_TOOL", "name": "partner_Me" },
            { "kind": "PUBLISHED_OPERATION", "name": "Me of partner" },
        ])
    );
    // Nobody else's environment, and no other tenant's.
    let elsewhere = json!({ "environment": "staging", "subgraph": "users", "sdl": OLD });
    stage.publish_input(&stage.admin, elsewhere).await;
    assert_eq!(stage.check("staging", "users", WITHOUT_NAME).await["verdict"], "SAFE");

    let retired = json!({ "input": { "client": "partner", "version": "7" } });
    stage.data(&stage.admin, RETIRE, retired).await;
    let check = stage.check("production", "users", WITHOUT_NAME).await;
    assert_eq!(check["verdict"], "SAFE", "{check}");
    assert_eq!(stage.count("SELECT count(*) FROM registry.documents").await, 0, "no text is left behind");
}

#[tokio::test]
async fn operations_must_fit_the_graph_that_they_are_for() {
    let stage = Stage::new().await;
    stage.publish("users", OLD).await;
    partner(&stage).await;
    let unknown = manifest("1", &json!({ "1": "query Me { me { colour } }" }));
    let (code, field, text) = stage.refusal(&stage.admin, PUBLISH, unknown).await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.manifest"), "{text}");
    let mut nowhere = manifest("1", &json!({ "1": "query Me { me { name } }" }));
    nowhere["input"]["environment"] = "nowhere".into();
    let (code, field, _) = stage.refusal(&stage.admin, PUBLISH, nowhere).await;
    assert_eq!((code.as_str(), field.as_str()), ("NOT_FOUND", "input.environment"));
    // Without an environment they are for the API itself.
    let mut own = manifest("1", &json!({ "1": "query Shelf { shelf }" }));
    own["input"].as_object_mut().unwrap().remove("environment");
    let published = stage.data(&stage.admin, PUBLISH, own).await;
    assert_eq!(published["publishOperations"]["manifest"]["environment"], Value::Null);
    let strangers = manifest("2", &json!({ "1": "query Me { me { name } }" }));
    let (code, ..) = stage.refusal(&stage.stranger, PUBLISH, strangers).await;
    assert_eq!(code, "NOT_FOUND", "the graph is another tenant's");
    assert_eq!(stage.count("SELECT count(*) FROM registry.manifests").await, 1);
}

#[tokio::test]
async fn two_who_publish_the_same_version_at_once_publish_it_once() {
    let stage = Stage::new().await;
    partner(&stage).await;
    let mut input = manifest("1", &json!({ "1": "query Shelf { shelf }" }));
    input["input"].as_object_mut().unwrap().remove("environment");
    let publish = || stage.data(&stage.admin, PUBLISH, input.clone());
    let (one, other) = tokio::join!(publish(), publish());
    let unchanged = |answer: &Value| answer["publishOperations"]["isUnchanged"].as_bool().unwrap();
    assert!(unchanged(&one) != unchanged(&other), "{one} {other}");
    assert_eq!(stage.count("SELECT count(*) FROM registry.manifests").await, 1);
}
