//! Publishing, removing, going back.

use serde_json::{Value, json};

use crate::stage::Stage;

const USERS: &str = "type Query { me: User } type User @key(fields: \"id\") { id: ID! name: String }";
const POSTS: &str = "type Query { posts: [Post] } type Post { title: String }";

const STATE: &str = "{ schemaVariant(environment: \"production\") { revision current { number cause state
    subgraphs { subgraph number } } } }";

#[tokio::test]
async fn what_composes_is_served_and_what_does_not_is_kept_as_failed() {
    let stage = Stage::new().await;
    let first = stage.publish("users", USERS).await;
    assert_eq!(first["isPublished"], true);
    assert_eq!(first["composition"]["state"], "COMPOSED");
    stage.publish("posts", POSTS).await;

    let broken =
        stage.publish("posts", "type Query { posts: [Post] me: Int } type Post { title: String }").await;
    assert_eq!(
        (&broken["isPublished"], &broken["schemaVersion"]["state"]),
        (&json!(false), &json!("FAILED"))
    );
    let codes: Vec<&Value> = broken["composition"]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| &finding["code"])
        .collect();
    assert!(codes.contains(&&json!("FIELD_TYPE_MISMATCH")), "{broken}");

    let served = stage.data(&stage.admin, STATE, json!({})).await;
    let expected = json!({ "schemaVariant": { "revision": 2, "current": {
        "number": 2, "cause": "PUBLISH", "state": "COMPOSED",
        "subgraphs": [{ "subgraph": "posts", "number": 2 }, { "subgraph": "users", "number": 1 }],
    } } });
    assert_eq!(served, expected);
    let supergraph =
        "{ schemaVariant(environment: \"production\") { current { supergraph supergraphHash } } }";
    let data = stage.data(&stage.admin, supergraph, json!({})).await;
    let supergraph = data["schemaVariant"]["current"]["supergraph"].as_str().unwrap();
    assert!(supergraph.contains("join__Graph") && supergraph.contains("title"), "{supergraph}");
    let list =
        "{ schemaVersions(filter: { environment: \"production\" }) { nodes { subgraph number state sdl } } }";
    let versions = stage.data(&stage.admin, list, json!({})).await;
    assert_eq!(
        versions["schemaVersions"]["nodes"][2],
        json!({ "subgraph": "users", "number": 1, "state": "PUBLISHED", "sdl": USERS })
    );
    assert_eq!(versions["schemaVersions"]["nodes"][0]["state"], "FAILED");
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_an_address_that_is_left_out_stays() {
    let stage = Stage::new().await;
    let publish = |url: Option<&str>| {
        let input = json!({ "environment": "production", "subgraph": "users", "sdl": USERS, "url": url });
        stage.publish_input(&stage.admin, input)
    };
    let first = publish(Some("http://users:4001/graphql")).await;
    let again = publish(Some("http://users:4001/graphql")).await;
    let without = publish(None).await;
    assert_eq!((&again["isUnchanged"], &without["isUnchanged"]), (&json!(true), &json!(true)));
    assert_eq!(again["schemaVersion"], first["schemaVersion"]);
    assert_eq!(without["composition"], first["composition"]);
    let moved = publish(Some("http://users:4002/graphql")).await;
    assert_eq!((&moved["isUnchanged"], &moved["composition"]["number"]), (&json!(false), &json!(2)));
    assert_eq!(stage.count("SELECT count(*) FROM registry.schema_versions").await, 2);
}

#[tokio::test]
async fn compositions_say_what_has_changed_for_clients() {
    let stage = Stage::new().await;
    let first = stage.publish("users", USERS).await;
    let without_name = "type Query { me: User } type User @key(fields: \"id\") { id: ID! email: String }";
    let second = stage.publish("users", without_name).await;
    let diff = &second["composition"]["diff"];
    assert_eq!((&diff["breaking"], &diff["safe"]), (&json!(1), &json!(1)));
    assert_eq!(
        diff["changes"][0],
        json!({ "code": "FIELD_REMOVED", "criticality": "BREAKING", "coordinate": "User.name" })
    );
    let ask = "query ($from: ID!, $to: ID!) { schemaDiff(from: $from, to: $to) { breaking safe changes { code } } }";
    let (from, to) = (&second["composition"]["id"], &first["composition"]["id"]);
    let back = stage.data(&stage.admin, ask, json!({ "from": from, "to": to })).await;
    assert_eq!(back["schemaDiff"]["breaking"], 1);
    let nothing = stage.data(&stage.stranger, ask, json!({ "from": from, "to": to })).await;
    assert_eq!(nothing, json!({ "schemaDiff": null }));
}

#[tokio::test]
async fn one_call_goes_back_and_what_is_published_next_builds_on_that() {
    let stage = Stage::new().await;
    let good = stage.publish("users", USERS).await;
    stage.publish("users", "type Query { nothing: Int }").await;
    let back = "mutation ($input: RollBackSchemaInput!) { rollBackSchema(input: $input) {
        composition { number cause supergraphHash restoredId diff { breaking safe } } variant { revision } } }";
    let input = json!({ "input": { "environment": "production" } });
    let data = stage.data(&stage.admin, back, input).await;
    let composition = &data["rollBackSchema"]["composition"];
    assert_eq!((&composition["number"], &composition["cause"]), (&json!(3), &json!("ROLLBACK")));
    assert_eq!(composition["restoredId"], good["composition"]["id"]);
    assert_eq!(composition["supergraphHash"], good["composition"]["supergraphHash"]);
    assert_eq!(data["rollBackSchema"]["variant"]["revision"], 3);
    stage.publish("posts", POSTS).await;
    let served = stage.data(&stage.admin, STATE, json!({})).await;
    let parts = &served["schemaVariant"]["current"]["subgraphs"];
    assert_eq!(*parts, json!([{ "subgraph": "posts", "number": 4 }, { "subgraph": "users", "number": 1 }]));
    let missing = json!({ "input": { "environment": "production", "number": 99 } });
    assert_eq!(stage.refusal(&stage.admin, back, missing).await.0, "NOT_FOUND");
    let nowhere = json!({ "input": { "environment": "nowhere" } });
    assert_eq!(stage.refusal(&stage.admin, back, nowhere).await.0, "NOT_FOUND");
}

#[tokio::test]
async fn a_subgraph_goes_only_if_the_others_compose_without_it() {
    let stage = Stage::new().await;
    stage.publish("users", USERS).await;
    stage.publish("posts", POSTS).await;
    let remove =
        "mutation ($s: String!) { removeSubgraph(input: { environment: \"production\", subgraph: $s }) {
        isRemoved composition { number state subgraphs { subgraph } } } }";
    let gone = stage.data(&stage.admin, remove, json!({ "s": "posts" })).await;
    let expected = json!({ "isRemoved": true, "composition": { "number": 3, "state": "COMPOSED", "subgraphs": [{ "subgraph": "users" }] } });
    assert_eq!(gone["removeSubgraph"], expected);
    let last = stage.data(&stage.admin, remove, json!({ "s": "users" })).await;
    assert_eq!(last["removeSubgraph"]["isRemoved"], false);
    assert_eq!(stage.data(&stage.admin, STATE, json!({})).await["schemaVariant"]["current"]["number"], 3);
    assert_eq!(stage.refusal(&stage.admin, remove, json!({ "s": "posts" })).await.0, "NOT_FOUND");
}

#[tokio::test]
async fn a_variant_of_a_pull_request_has_the_other_subgraphs_of_its_base_and_goes_by_itself() {
    let stage = Stage::new().await;
    stage.publish("users", USERS).await;
    stage.publish("posts", POSTS).await;
    let input = |sdl: &str| {
        json!({ "environment": "production", "variant": "pr-12", "base": "current", "expiresInHours": 24,
                "subgraph": "posts", "sdl": sdl })
    };
    let request = stage
        .publish_input(&stage.admin, input("type Query { posts: [Post] } type Post { body: String }"))
        .await;
    assert_eq!(request["composition"]["diff"]["breaking"], 1, "compared with its base");
    assert_eq!(request["variant"]["expiresAt"], "2026-03-16T12:00:00Z");
    stage
        .publish("users", "type Query { me: User } type User @key(fields: \"id\") { id: ID! nick: String }")
        .await;
    let again = stage
        .publish_input(&stage.admin, input("type Query { posts: [Post] } type Post { text: String }"))
        .await;
    let shown = "query ($id: ID!) { schemaComposition(id: $id) { supergraph } }";
    let data = stage.data(&stage.admin, shown, json!({ "id": again["composition"]["id"] })).await;
    let supergraph = data["schemaComposition"]["supergraph"].as_str().unwrap();
    assert!(supergraph.contains("nick") && supergraph.contains("text") && !supergraph.contains("title"));
    let of_base = stage.data(&stage.admin, STATE, json!({})).await;
    assert_eq!(of_base["schemaVariant"]["current"]["number"], 3);
    let floating = json!({ "environment": "production", "variant": "pr-13", "base": "nothing", "subgraph": "posts", "sdl": POSTS });
    let refusal = stage.refusal(&stage.admin, stage.publish_document(), json!({ "input": floating })).await;
    assert_eq!((refusal.0.as_str(), refusal.1.as_str()), ("NOT_FOUND", "input.base"));
}

#[tokio::test]
async fn what_is_wrong_with_an_input_is_named() {
    let stage = Stage::new().await;
    let cases = [
        (json!({ "environment": "a b" }), "input.environment"),
        (json!({ "variant": "" }), "input.variant"),
        (json!({ "subgraph": "-x" }), "input.subgraph"),
        (json!({ "sdl": "" }), "input.sdl"),
        (json!({ "sdl": "#".repeat(1_000_001) }), "input.sdl"),
        (json!({ "url": "ftp://x" }), "input.url"),
        (json!({ "url": "http://name:word@x/" }), "input.url"),
        (json!({ "revision": "r".repeat(201) }), "input.revision"),
        (json!({ "message": "m".repeat(1001) }), "input.message"),
        (json!({ "expiresInHours": 0 }), "input.expiresInHours"),
        (json!({ "expiresInHours": 2161 }), "input.expiresInHours"),
        (json!({ "base": "current" }), "input.base"),
    ];
    for (change, field) in cases {
        let mut input = json!({ "environment": "production", "subgraph": "users", "sdl": USERS });
        input.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let (code, named, text) =
            stage.refusal(&stage.admin, stage.publish_document(), json!({ "input": input })).await;
        assert_eq!((code.as_str(), named.as_str()), ("BAD_USER_INPUT", field), "{text}");
    }
    assert_eq!(stage.count("SELECT count(*) FROM registry.variants").await, 0);
}

#[tokio::test]
async fn those_who_publish_at_the_same_time_all_get_in() {
    let stage = Stage::new().await;
    let publish = async |n: usize| {
        let sdl = format!("type Query {{ field{n}: Int }}");
        stage.publish(&format!("s{n}"), &sdl).await["composition"]["number"].as_i64().unwrap()
    };
    let (a, b, c) = tokio::join!(publish(1), publish(2), publish(3));
    let mut numbers = [a, b, c];
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3]);
    let served = stage.data(&stage.admin, STATE, json!({})).await;
    assert_eq!(served["schemaVariant"]["current"]["subgraphs"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn reads_by_key_take_no_more_statements_for_more_rows() {
    let stage = Stage::new().await;
    for n in 0..4 {
        stage.publish("users", &format!("type Query {{ a{n}: Int }}")).await;
    }
    for part in ["supergraph", "findings { code } diff { breaking }", "subgraphs { sdl }"] {
        let list = |first: usize| {
            let filter = "filter: { environment: \"production\" }";
            format!("{{ schemaCompositions(first: {first}, {filter}) {{ nodes {{ {part} }} }} }}")
        };
        let (two, _) = stage.statements(stage.data(&stage.admin, &list(2), json!({}))).await;
        let (four, data) = stage.statements(stage.data(&stage.admin, &list(4), json!({}))).await;
        // A branch that gets ahead of the others may load what it needs by itself.
        assert!(four <= two + 1, "{part}: {two} and {four}");
        assert_eq!(data["schemaCompositions"]["nodes"].as_array().unwrap().len(), 4);
    }
}

#[tokio::test]
async fn events_tell_of_success_and_failure() {
    let stage = Stage::new().await;
    stage.publish("users", USERS).await;
    stage.publish("posts", "type Query { me: Int }").await;
    let told = stage
        .texts("SELECT subject || ' ' || coalesce(attributes->>'state', '-') FROM platform.outbox ORDER BY subject, attributes->>'state'")
        .await;
    let expected = [
        "registry.composition COMPOSED",
        "registry.composition FAILED",
        "registry.schema_version FAILED",
        "registry.schema_version PUBLISHED",
        "registry.variant -",
    ];
    assert_eq!(told, expected);
}
