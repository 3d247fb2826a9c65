//! What a check says, and who is let through.

use serde_json::{Value, json};

use crate::stage::{Stage, caller_of};

const OLD: &str =
    "type Query { me: User } type User @key(fields: \"id\") { id: ID! name: String mail: String }";
const WITHOUT_NAME: &str = "type Query { me: User } type User @key(fields: \"id\") { id: ID! mail: String }";

const SET: &str =
    "mutation ($input: SetSchemaRulesInput!) { setSchemaRules(input: $input) { rules { version } } }";
const LET: &str = "mutation ($input: CreateSchemaOverrideInput!) { createSchemaOverride(input: $input) { schemaOverride { id } } }";

async fn published() -> Stage {
    let stage = Stage::new().await;
    stage.publish("users", OLD).await;
    stage
}

#[tokio::test]
async fn a_change_breaks_only_who_uses_it_and_names_them() {
    let stage = published().await;
    let unused = stage.check("production", "users", WITHOUT_NAME).await;
    assert_eq!((&unused["verdict"], &unused["isAccepted"]), (&json!("SAFE"), &json!(true)));
    assert_eq!(unused["changes"][0]["potential"], "BREAKING");
    stage.use_by("production", "web", "query Me { me { name } }").await;
    stage.use_by("production", "app", "query Me { me { name } }").await;
    stage.use_by("production", "web", "query Mail { me { mail } }").await;
    let used = stage.check("production", "users", WITHOUT_NAME).await;
    assert_eq!(
        (&used["verdict"], &used["isAccepted"], &used["breaking"]),
        (&json!("BREAKING"), &json!(false), &json!(1))
    );
    let named = |client: &str| {
        json!({ "operationName": "Me", "clientName": client, "clientVersion": "1.0", "requests": 10,
                "lastSeenAt": "2026-03-15T00:00:00Z", "isDeclared": false })
    };
    let expected = json!({
        "code": "FIELD_REMOVED", "criticality": "BREAKING", "potential": "BREAKING", "coordinate": "User.name",
        "overrideReason": null, "operationCount": 1, "requestCount": 20, "users": [named("app"), named("web")],
        "surfaces": [{ "kind": "REST_ROUTE", "name": "GET /me" }],
    });
    assert_eq!(used["changes"][0], expected);
    assert_eq!(used["against"]["number"], 1);
    // Another environment has users of its own.
    let input = json!({ "environment": "staging", "subgraph": "users", "sdl": OLD });
    stage.publish_input(&stage.admin, input).await;
    assert_eq!(stage.check("staging", "users", WITHOUT_NAME).await["verdict"], "SAFE");
    let first = stage.check("elsewhere", "users", OLD).await;
    assert_eq!((&first["verdict"], &first["against"]), (&json!("SAFE"), &Value::Null));
}

#[tokio::test]
async fn what_does_not_compose_is_broken_whoever_uses_it() {
    let stage = published().await;
    stage.publish("posts", "type Query { posts: Int }").await;
    let broken = stage.check("production", "posts", "type Query { posts: Int me: Int }").await;
    assert_eq!(broken["verdict"], "BROKEN");
    assert_eq!(broken["findings"][0]["code"], "FIELD_TYPE_MISMATCH");
    assert_eq!(broken["changes"], json!([]));
    let unreadable = stage.check("production", "posts", "type Query {").await;
    assert_eq!(unreadable["verdict"], "BROKEN");
}

#[tokio::test]
async fn rules_say_whose_use_counts_and_how_much_of_it() {
    let stage = published().await;
    stage.use_by("production", "web", "query Me { me { name } }").await;
    stage.use_by("production", "web", "query Mail { me { mail } }").await;
    let verdict_with = async |change: Value| {
        let mut input = json!({
            "environment": "production", "windowDays": 30, "minRequests": 1, "minSharePercent": 0,
            "excludedClients": [], "excludedOperations": [],
        });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        stage.data(&stage.admin, SET, json!({ "input": input })).await;
        stage.check("production", "users", WITHOUT_NAME).await["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(verdict_with(json!({})).await, "BREAKING");
    assert_eq!(verdict_with(json!({ "minRequests": 10 })).await, "BREAKING");
    assert_eq!(verdict_with(json!({ "minRequests": 11 })).await, "SAFE");
    assert_eq!(verdict_with(json!({ "minSharePercent": 50 })).await, "BREAKING");
    assert_eq!(verdict_with(json!({ "minSharePercent": 50.1 })).await, "SAFE");
    assert_eq!(verdict_with(json!({ "excludedClients": ["web"] })).await, "SAFE");
    assert_eq!(verdict_with(json!({ "excludedOperations": ["Me"] })).await, "SAFE");
    assert_eq!(verdict_with(json!({ "excludedOperations": ["Mail"] })).await, "BREAKING");
    let outdated = json!({ "input": { "environment": "production", "expectedVersion": 1 } });
    assert_eq!(stage.refusal(&stage.admin, SET, outdated).await.0, "CONFLICT");
    assert_eq!(stage.count("SELECT count(*) FROM registry.history").await, 7);
}

#[tokio::test]
async fn use_before_the_window_counts_no_more() {
    let stage = published().await;
    let used = |days: i64| {
        json!([{ "signature": "a".repeat(64), "name": "Old", "kind": "QUERY", "at": crate::stage::now() - chrono::TimeDelta::days(days),
                 "requests": 5, "coordinates": ["Query", "User", "Query.me", "User.name"] }])
    };
    stage.report(&stage.admin, "production", used(20)).await;
    assert_eq!(stage.check("production", "users", WITHOUT_NAME).await["verdict"], "BREAKING");
    let input = json!({ "environment": "production", "windowDays": 19 });
    stage.data(&stage.admin, SET, json!({ "input": input })).await;
    assert_eq!(stage.check("production", "users", WITHOUT_NAME).await["verdict"], "SAFE");
    stage.report(&stage.admin, "production", used(3)).await;
    assert_eq!(stage.check("production", "users", WITHOUT_NAME).await["verdict"], "BREAKING");
}

#[tokio::test]
async fn what_a_manifest_has_counts_whether_it_is_sent_or_not() {
    let stage = published().await;
    stage.use_by("production", "web", "query Me { me { name } }").await;
    let declare = "UPDATE registry.coordinates SET last_used_on = '2020-01-01';
        INSERT INTO registry.declared SELECT org_id, environment, 'phone', '2.0', id, now() FROM registry.operations;
        DELETE FROM registry.usage";
    let mut connection = stage.database.connect().await.unwrap();
    sqlx::raw_sql(declare).execute(&mut connection).await.unwrap();
    let check = stage.check("production", "users", WITHOUT_NAME).await;
    assert_eq!(check["verdict"], "BREAKING");
    let user = &check["changes"][0]["users"][0];
    assert_eq!(
        (&user["clientName"], &user["isDeclared"], &user["lastSeenAt"]),
        (&json!("phone"), &json!(true), &Value::Null)
    );
}

#[tokio::test]
async fn an_override_lets_a_change_through_with_a_reason_until_it_is_deleted() {
    let stage = published().await;
    stage.use_by("production", "web", "query Me { me { name } }").await;
    let input = |change: Value| {
        let mut input = json!({ "environment": "production", "coordinate": "User.name", "reason": "Nobody minds.",
                                "expiresAt": "2026-03-20T00:00:00Z" });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        json!({ "input": input })
    };
    let of_another_kind = input(json!({ "code": "FIELD_TYPE_CHANGED" }));
    stage.data(&stage.admin, LET, of_another_kind).await;
    assert_eq!(stage.check("production", "users", WITHOUT_NAME).await["verdict"], "BREAKING");
    let made = stage
        .data(&stage.admin, LET, input(json!({ "code": "FIELD_REMOVED", "idempotencyKey": "once" })))
        .await;
    let again = stage
        .data(&stage.admin, LET, input(json!({ "code": "FIELD_REMOVED", "idempotencyKey": "once" })))
        .await;
    assert_eq!(made, again);
    let check = stage.check("production", "users", WITHOUT_NAME).await;
    assert_eq!((&check["verdict"], &check["breaking"]), (&json!("DANGEROUS"), &json!(1)));
    assert_eq!(check["changes"][0]["overrideReason"], "Nobody minds.");
    let list = "{ schemaOverrides(filter: { environment: \"production\" }) { totalCount } }";
    assert_eq!(stage.data(&stage.admin, list, json!({})).await["schemaOverrides"]["totalCount"], 2);
    assert_eq!(stage.data(&stage.stranger, list, json!({})).await["schemaOverrides"]["totalCount"], 0);
    let delete = "mutation ($id: ID!) { deleteSchemaOverride(input: { id: $id }) { id } }";
    let id = json!({ "id": made["createSchemaOverride"]["schemaOverride"]["id"] });
    assert_eq!(stage.refusal(&stage.stranger, delete, id.clone()).await.0, "NOT_FOUND");
    stage.data(&stage.admin, delete, id).await;
    assert_eq!(stage.check("production", "users", WITHOUT_NAME).await["verdict"], "BREAKING");
    for (change, field) in [
        (json!({ "coordinate": "" }), "input.coordinate"),
        (json!({ "code": "NOTHING" }), "input.code"),
        (json!({ "reason": "" }), "input.reason"),
        (json!({ "expiresAt": "2026-03-15T12:00:00Z" }), "input.expiresAt"),
        (json!({ "expiresAt": "2027-05-01T00:00:00Z" }), "input.expiresAt"),
        (json!({ "environment": "a b" }), "input.environment"),
    ] {
        let (code, named, _) = stage.refusal(&stage.admin, LET, input(change)).await;
        assert_eq!((code.as_str(), named.as_str()), ("BAD_USER_INPUT", field));
    }
}

#[tokio::test]
async fn rules_of_style_refuse_where_they_are_errors() {
    let stage = published().await;
    let badly_named = "type Query { me: User Bad_Name: Int } type User @key(fields: \"id\") { id: ID! name: String mail: String }";
    let warned = stage.check("production", "users", badly_named).await;
    assert_eq!(warned["verdict"], "SAFE");
    let codes = warned["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]);
    assert!(codes.clone().any(|code| code == "FIELD_NAME_CAMEL_CASE"), "{warned}");
    let strict = json!({ "environment": "production", "lintLevels": [{ "rule": "FIELD_NAME_CAMEL_CASE", "level": "ERROR" }] });
    stage.data(&stage.admin, SET, json!({ "input": strict })).await;
    assert_eq!(stage.check("production", "users", badly_named).await["verdict"], "LINT");
    let ignored = json!({ "environment": "production", "lintIgnored": ["Query.Bad_Name"] });
    stage.data(&stage.admin, SET, json!({ "input": ignored })).await;
    assert_eq!(stage.check("production", "users", badly_named).await["verdict"], "SAFE");
    let unknown = json!({ "environment": "production", "lintLevels": [{ "rule": "X", "level": "OFF" }] });
    let (code, field, _) = stage.refusal(&stage.admin, SET, json!({ "input": unknown })).await;
    assert_eq!((code.as_str(), field.as_str()), ("BAD_USER_INPUT", "input.lintLevels"));
    for (change, field) in [
        (json!({ "windowDays": 0 }), "input.windowDays"),
        (json!({ "windowDays": 366 }), "input.windowDays"),
        (json!({ "minRequests": 0 }), "input.minRequests"),
        (json!({ "minSharePercent": 100.5 }), "input.minSharePercent"),
        (json!({ "excludedClients": vec!["x"; 101] }), "input.excludedClients"),
        (json!({ "lintIgnored": [""] }), "input.lintIgnored"),
    ] {
        let mut input = json!({ "environment": "production" });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (code, named, _) = stage.refusal(&stage.admin, SET, json!({ "input": input })).await;
        assert_eq!((code.as_str(), named.as_str()), ("BAD_USER_INPUT", field));
    }
}

#[tokio::test]
async fn checks_are_kept_and_told_of() {
    let stage = published().await;
    stage.use_by("production", "web", "query Me { me { name } }").await;
    let made = stage.check("production", "users", WITHOUT_NAME).await;
    let one =
        "query ($id: ID!) { schemaCheck(id: $id) { verdict changes { coordinate users { clientName } } } }";
    let id = json!({ "id": made["id"] });
    let kept = stage.data(&stage.admin, one, id.clone()).await;
    assert_eq!(kept["schemaCheck"]["changes"][0]["users"][0]["clientName"], "web");
    assert_eq!(stage.data(&stage.stranger, one, id).await, json!({ "schemaCheck": null }));
    let list = "{ schemaChecks(filter: { environment: \"production\", subgraph: \"users\" }) { totalCount nodes { verdict } } }";
    let listed = stage.data(&stage.admin, list, json!({})).await;
    assert_eq!(listed, json!({ "schemaChecks": { "totalCount": 1, "nodes": [{ "verdict": "BREAKING" }] } }));
    let told = "SELECT attributes->>'verdict' FROM platform.outbox WHERE subject = 'registry.check'";
    assert_eq!(stage.texts(told).await, ["BREAKING"]);
    let viewer = caller_of(stage.admin.org.unwrap(), pulse_types::Role::Viewer);
    let check = "mutation { checkSubgraph(input: { environment: \"production\", subgraph: \"users\", sdl: \"x\" }) { check { id } } }";
    assert_eq!(stage.refusal(&viewer, check, json!({})).await.0, "FORBIDDEN");
}
