//! Operations that clients publish: what gateways then take, from whom, and nothing else.

use std::time::Duration;

use pulse_tests::{Answer, ApiKey, Graph, Tenant, TestPlatform};
use serde_json::{Value, json};

/// How long another process may take to hear of what is published.
const PATIENCE: Duration = Duration::from_mins(1);

const ENTITIES: &str =
    "query Entities($first: Int) { entities(first: $first) { totalCount nodes { name } } }";
const ENTITY: &str = "query Entity($id: ID!) { entity(id: $id) { id name } }";
const RENAME: &str =
    "mutation Rename($input: UpdateEntityInput!) { updateEntity(input: $input) { entity { name } } }";

const UPDATE: &str = "mutation ($input: UpdateClientAppInput!) { updateClientApp(input: $input) {
    clientApp { mode environmentModes { environment mode } tools { operation } version } } }";

struct Stage {
    platform: TestPlatform,
    tenant: Tenant,
    graph: Graph,
    /// Of the partner, for its operations alone.
    key: ApiKey,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let tenant = Tenant::found(&platform, "alpha").await;
        let graph = Graph::fill(&platform, &tenant, 3, "alpha").await;
        let create = "mutation { createClientApp(input: { name: \"partner\" }) { clientApp { id } } }";
        platform.data(&tenant.owner.token, create, json!({})).await;
        let input =
            json!({ "name": "partner's", "scopes": ["entity:read", "entity:write"], "client": "partner" });
        let key = ApiKey::create(&platform, &tenant.owner.token, input).await;
        let stage = Self { platform, tenant, graph, key };
        stage.publish("1", &json!({ "list": ENTITIES, "one": ENTITY, "rename": RENAME })).await;
        stage
    }

    async fn try_publish(&self, version: &str, manifest: &Value) -> Answer {
        let query = "mutation ($input: PublishOperationsInput!) { publishOperations(input: $input) {
            isUnchanged manifest { clientVersion operationCount operations { id name kind document } } } }";
        let input = json!({ "client": "partner", "version": version, "manifest": manifest.to_string() });
        self.platform.graphql(Some(&self.tenant.owner.token), query, json!({ "input": input })).await
    }

    async fn publish(&self, version: &str, manifest: &Value) -> Value {
        let answer = self.try_publish(version, manifest).await;
        assert!(answer.json.get("errors").is_none(), "{answer:?}");
        answer.json["data"]["publishOperations"].clone()
    }

    /// The partner's id and version.
    async fn partner(&self) -> Value {
        let found = self.owner("{ clientAppByName(name: \"partner\") { id version } }", json!({})).await;
        found["clientAppByName"].clone()
    }

    async fn owner(&self, query: &str, variables: Value) -> Value {
        self.platform.data(&self.tenant.owner.token, query, variables).await
    }

    /// What the partner's key gets for a GraphQL request.
    async fn send(&self, body: Value) -> Answer {
        send(&self.platform, &self.key.secret, body).await
    }

    async fn rest(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers: &[(&str, &str)] =
            if body.is_null() { &[] } else { &[("content-type", "application/json")] };
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let path = format!("/api/v1{path}");
        self.platform.call((method, &path), Some(&self.key.secret), headers, text).await
    }
}

async fn send(platform: &TestPlatform, token: &str, body: Value) -> Answer {
    let headers = [("content-type", "application/json")];
    platform.call(("POST", "/graphql"), Some(token), &headers, body.to_string()).await
}

/// The reason of the first error.
fn reason(answer: &Answer) -> &str {
    answer.json["errors"][0]["extensions"]["reason"].as_str().unwrap_or_default()
}

/// Asks until the answer is as wanted.
async fn until(asked: impl AsyncFn() -> Answer, wanted: impl Fn(&Answer) -> bool) {
    let asking = async { while !wanted(&asked().await) {} };
    tokio::time::timeout(PATIENCE, asking).await.expect("it is heard of");
}

#[tokio::test]
async fn a_partner_sends_its_three_operations_and_nothing_else() {
    let stage = Stage::new().await;
    let id = &stage.graph.entities[0];
    let rename = json!({ "input": { "id": id, "name": "renamed" } });
    // By id, by text, by hash, and by URL.
    let listed = stage.send(json!({ "documentId": "list", "variables": { "first": 1 } })).await;
    assert_eq!(listed.json["data"]["entities"]["totalCount"], 3, "{listed:?}");
    let one = stage.send(json!({ "query": ENTITY, "variables": { "id": id } })).await;
    assert_eq!(one.json["data"]["entity"]["id"], **id, "{one:?}");
    let hash = pulse_manifests::TextHash::of(RENAME).to_string();
    let persisted = json!({ "persistedQuery": { "version": 1, "sha256Hash": hash } });
    let renamed = stage.send(json!({ "extensions": persisted, "variables": rename })).await;
    assert_eq!(renamed.json["data"]["updateEntity"]["entity"]["name"], "renamed", "{renamed:?}");
    let got = stage.rest("GET", "/ops/partner/Entities?first=1", &json!(null)).await;
    assert_eq!((got.status.as_u16(), &got.json["entities"]["totalCount"]), (200, &json!(3)), "{got:?}");
    let posted = stage.rest("POST", "/ops/partner/Rename", &rename).await;
    assert_eq!(posted.json["updateEntity"]["entity"]["name"], "renamed", "{posted:?}");

    for (body, expected) in [
        (json!({ "query": "query Entities { entities { nodes { key } } }" }), "OPERATION_NOT_ALLOWED"),
        (json!({ "query": "{ __schema { queryType { name } } }" }), "OPERATION_NOT_ALLOWED"),
        (json!({ "query": format!("{ENTITIES} ") }), "OPERATION_NOT_ALLOWED"),
        // Another client's of the same tenant.
        (json!({ "documentId": "alpha" }), "PERSISTED_DOCUMENT_NOT_FOUND"),
    ] {
        let answer = stage.send(body.clone()).await;
        assert_eq!(reason(&answer), expected, "{body}: {answer:?}");
    }
    for path in ["/entities", "/entities?fields=name", "/ops/alpha/Own"] {
        let answer = stage.rest("GET", path, &json!(null)).await;
        assert!([403, 404].contains(&answer.status.as_u16()), "{path}: {answer:?}");
    }
    let batch = json!({ "requests": [{ "method": "GET", "path": "/entities" }, { "method": "GET", "path": "/ops/partner/Entities" }] });
    let answers = stage.rest("POST", "/batch", &batch).await;
    let status = |index: usize| answers.json["responses"][index]["status"].clone();
    assert_eq!((status(0), status(1)), (json!(403), json!(200)), "{answers:?}");
    let socket =
        stage.platform.call(("GET", "/ws/jobs/none"), Some(&stage.key.secret), &[], String::new()).await;
    assert!(!socket.status.is_success(), "{socket:?}");
    // The description has what the partner can ask, and nothing else.
    let description =
        stage.platform.call(("GET", "/openapi.json"), Some(&stage.key.secret), &[], String::new()).await;
    let paths: Vec<&String> = description.json["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/batch", "/ops/partner/Entities", "/ops/partner/Entity", "/ops/partner/Rename"]);

    // Deleted with its operations, the client leaves a key that can send nothing.
    let found = stage.owner("{ clientAppByName(name: \"partner\") { id } }", json!({})).await;
    let delete = "mutation ($id: ID!) { deleteClientApp(input: { id: $id }) { id } }";
    stage.owner(delete, json!({ "id": found["clientAppByName"]["id"] })).await;
    let list = json!({ "documentId": "list" });
    until(async || stage.send(list.clone()).await, |answer| reason(answer) == "PERSISTED_DOCUMENT_NOT_FOUND")
        .await;
    assert_eq!(reason(&stage.send(json!({ "query": ENTITIES })).await), "OPERATION_NOT_ALLOWED");
}

#[tokio::test]
async fn versions_come_and_go_in_all_processes_and_what_is_shared_stays() {
    let stage = Stage::new().await;
    let other = stage.platform.another().await;
    let more = "query More { entityTypes { totalCount } }";
    let published = stage.publish("2", &json!({ "list": ENTITIES, "more": more })).await;
    assert_eq!(published["manifest"]["operationCount"], 2);
    assert_eq!(
        published["manifest"]["operations"][0],
        json!({ "id": "list", "name": "Entities", "kind": "query", "document": ENTITIES })
    );
    let ask = async |id: &str| send(&other, &stage.key.secret, json!({ "documentId": id })).await;
    until(async || ask("more").await, |answer| answer.json["data"]["entityTypes"]["totalCount"] == 2).await;

    let again = stage.publish("2", &json!({ "more": more, "list": ENTITIES })).await;
    assert_eq!(again["isUnchanged"], true);
    let otherwise = stage.try_publish("2", &json!({ "more": more })).await;
    assert_eq!(otherwise.code(), Some("CONFLICT"), "{otherwise:?}");

    let retire = "mutation { retireOperations(input: { client: \"partner\", version: \"1\" }) { clientApp { manifests { clientVersion } } } }";
    let left = stage.owner(retire, json!({})).await;
    assert_eq!(left["retireOperations"]["clientApp"]["manifests"], json!([{ "clientVersion": "2" }]));
    until(async || ask("one").await, |answer| reason(answer) == "PERSISTED_DOCUMENT_NOT_FOUND").await;
    assert_eq!(ask("list").await.json["data"]["entities"]["totalCount"], 3, "the newer version has it, too");
    let gone = stage.platform.graphql(Some(&stage.tenant.owner.token), retire, json!({})).await;
    assert_eq!(gone.code(), Some("NOT_FOUND"), "{gone:?}");
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_published() {
    let stage = Stage::new().await;
    for (manifest, said) in [
        (json!({ "a": "query A { entities { nodes { colour } } }" }), "colour"),
        (json!({ "a": "query A { entities }" }), "1 of the operations"),
        (json!({ "a": "{ entities { totalCount } }" }), "with a name"),
        (json!({ "a b": "query A { __typename }" }), "the id \"a b\""),
        (json!([]), "this is no manifest"),
        (json!({}), "has no operation"),
    ] {
        let answer = stage.try_publish("3", &manifest).await;
        assert_eq!(answer.code(), Some("BAD_USER_INPUT"), "{manifest}: {answer:?}");
        let error = &answer.json["errors"][0];
        assert!(error["message"].as_str().unwrap().contains(said), "{manifest}: {error}");
        assert_eq!(error["extensions"]["field"], "input.manifest");
    }
    let shown = stage
        .owner("{ clientAppByName(name: \"partner\") { manifests { clientVersion } } }", json!({}))
        .await;
    assert_eq!(
        shown["clientAppByName"]["manifests"],
        json!([{ "clientVersion": "1" }]),
        "nothing is half done"
    );
    let deep = format!("query A {}", "{ a ".repeat(5_000));
    assert_eq!(stage.try_publish("3", &json!({ "a": deep })).await.code(), Some("BAD_USER_INPUT"));
    let taken = "mutation { createClientApp(input: { name: \"partner\" }) { clientApp { id } } }";
    let answer = stage.platform.graphql(Some(&stage.tenant.owner.token), taken, json!({})).await;
    assert_eq!(answer.code(), Some("CONFLICT"));
}

#[tokio::test]
async fn a_client_is_held_to_what_it_published_as_its_mode_says() {
    let stage = Stage::new().await;
    let client = stage.partner().await;
    let modes = json!([{ "environment": "elsewhere", "mode": "LOG" }]);
    let input = json!({ "id": client["id"], "mode": "ONLY", "environmentModes": modes, "expectedVersion": client["version"] });
    let changed = stage.owner(UPDATE, json!({ "input": input })).await;
    assert_eq!(changed["updateClientApp"]["clientApp"]["mode"], "ONLY");
    let refused =
        stage.platform.graphql(Some(&stage.tenant.owner.token), UPDATE, json!({ "input": input })).await;
    assert_eq!(refused.code(), Some("CONFLICT"), "{refused:?}");

    let named = async |platform: &TestPlatform, body: Value| {
        let headers = [("content-type", "application/json"), ("graphql-client-name", "partner")];
        let token = Some(stage.tenant.owner.token.as_str());
        platform.call(("POST", "/graphql"), token, &headers, body.to_string()).await
    };
    let text = json!({ "query": ENTITIES });
    until(
        async || named(&stage.platform, text.clone()).await,
        |answer| reason(answer) == "DOCUMENT_ID_REQUIRED",
    )
    .await;
    let other = json!({ "query": "{ entities { totalCount } }" });
    assert_eq!(reason(&named(&stage.platform, other.clone()).await), "OPERATION_NOT_PUBLISHED");
    let by_id = named(&stage.platform, json!({ "documentId": "list" })).await;
    assert_eq!(by_id.json["data"]["entities"]["totalCount"], 3);
    // Who does not say that it is the client is held to nothing, as the gateway's settings say.
    let unnamed = stage
        .platform
        .graphql(Some(&stage.tenant.owner.token), "{ entities { totalCount } }", json!({}))
        .await;
    assert_eq!(unnamed.json["data"]["entities"]["totalCount"], 3);
    // Routes of REST are no texts of a client.
    let token = Some(stage.tenant.owner.token.as_str());
    let rest = stage
        .platform
        .call(
            ("GET", "/api/v1/entities?first=1"),
            token,
            &[("graphql-client-name", "partner")],
            String::new(),
        )
        .await;
    assert_eq!(rest.status, 200, "{rest:?}");
}

#[tokio::test]
async fn an_operation_is_a_tool_for_who_may_do_it() {
    let stage = Stage::new().await;
    let tools = json!([{ "operation": "Entity", "description": "Reads an entity." }]);
    let input = json!({ "id": stage.partner().await["id"], "tools": tools });
    stage.owner(UPDATE, json!({ "input": input })).await;
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "partner_Entity", "arguments": { "id": stage.graph.entities[0] } } });
    let headers = [
        ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"),
        ("mcp-protocol-version", "2025-06-18"),
    ];
    let asked = async |token: &str| {
        stage.platform.call(("POST", "/mcp"), Some(token), &headers, call.to_string()).await
    };
    let owner = async || asked(&stage.tenant.owner.token).await;
    until(owner, |answer| answer.json["result"]["structuredContent"]["entity"]["name"] == "alpha 0").await;
    let poor = json!({ "name": "poor", "scopes": ["audit:read"] });
    let poor = ApiKey::create(&stage.platform, &stage.tenant.owner.token, poor).await;
    let refused = asked(&poor.secret).await;
    assert_eq!(refused.json["result"]["isError"], true, "{refused:?}");
    let beta = Tenant::found(&stage.platform, "beta").await;
    let unknown = asked(&beta.owner.token).await;
    assert!(unknown.json["error"]["message"].as_str().unwrap().contains("there is no tool"), "{unknown:?}");
}
