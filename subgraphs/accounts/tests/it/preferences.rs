use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Accounts, Person, show};

const UPDATE: &str =
    "mutation ($input: UpdatePreferencesInput!) { updatePreferences(input: $input) { preferences {
    locale timeZone theme reducedMotion notifications { kind channels } version } } }";
const PATCH: &str =
    "mutation ($input: PatchClientPreferencesInput!) { patchClientPreferences(input: $input) {
    client { namespace value version } } }";
const CLEAR: &str = "mutation ($namespace: String!) {
    clearClientPreferences(input: { namespace: $namespace }) { namespace } }";
const ALL: &str = "query ($namespace: String) { preferences(namespace: $namespace) {
    locale version clients { namespace value version } } }";

async fn update(accounts: &Accounts, by: &Person, input: Value) -> Value {
    accounts.run(&by.caller, UPDATE, json!({ "input": input })).await
}

async fn patch(accounts: &Accounts, by: &Person, input: Value) -> Value {
    accounts.run(&by.caller, PATCH, json!({ "input": input })).await
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_person_prefers_the_same_everywhere_and_alone() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let bea = accounts.register("Bea").await;
    let channels = json!([{ "kind": "comment", "channels": ["PUSH", "EMAIL", "PUSH"] }, { "kind": "digest", "channels": [] }]);
    let changed = update(&accounts, &ada, json!({
        "locale": "de-at", "timeZone": "Europe/Vienna", "theme": "DARK", "reducedMotion": true, "notifications": channels })).await;
    assert_snapshot!(show(&changed), @r#"{"data":{"updatePreferences":{"preferences":{"locale":"de-AT","timeZone":"Europe/Vienna","theme":"DARK","reducedMotion":true,"notifications":[{"kind":"comment","channels":["EMAIL","PUSH"]},{"kind":"digest","channels":[]}],"version":1}}}}"#);
    let (_, there) = accounts.found(&ada, "acme").await;
    let back = update(&accounts, &there, json!({ "locale": null, "version": 1 })).await;
    assert_eq!(back["data"]["updatePreferences"]["preferences"]["locale"], Value::Null);
    assert_eq!(back["data"]["updatePreferences"]["preferences"]["theme"], "DARK");
    let stale = update(&accounts, &ada, json!({ "theme": "LIGHT", "version": 1 })).await;
    assert_snapshot!(show(&stale), @r#"{"errors":[{"message":"these preferences have version 2 by now: read them again, and change what you still want to","extensions":{"code":"CONFLICT","field":"input.version"},"path":["updatePreferences"]}],"data":null}"#);
    for wrong in [
        json!({ "locale": "german" }),
        json!({ "timeZone": "x" }),
        json!({ "notifications": [{ "kind": "No", "channels": [] }] }),
    ] {
        assert_eq!(code(&update(&accounts, &ada, wrong).await), "BAD_USER_INPUT");
    }
    let other = accounts.data(&bea.caller, ALL, json!({})).await;
    assert_eq!(other["preferences"], json!({ "locale": null, "version": 0, "clients": [] }));
    assert_eq!(code(&accounts.run(&accounts.anonymous(), ALL, json!({})).await), "UNAUTHENTICATED");
    let told =
        "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.preferences' AND tenant IS NULL";
    assert_eq!(accounts.count(told).await, 2);
}

#[tokio::test]
async fn a_client_patches_what_it_keeps() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let first = patch(
        &accounts,
        &ada,
        json!({ "namespace": "web", "patch": { "panel": { "open": true, "width": 3 } } }),
    )
    .await;
    assert_eq!(first["data"]["patchClientPreferences"]["client"]["version"], 1);
    let second = patch(
        &accounts,
        &ada,
        json!({ "namespace": "web", "version": 1, "patch": { "panel": { "width": null }, "x": [1] } }),
    )
    .await;
    let kept = &second["data"]["patchClientPreferences"]["client"];
    assert_eq!(
        *kept,
        json!({ "namespace": "web", "value": { "panel": { "open": true }, "x": [1] }, "version": 2 })
    );
    assert_eq!(
        code(&patch(&accounts, &ada, json!({ "namespace": "web", "version": 1, "patch": {} })).await),
        "CONFLICT"
    );
    patch(&accounts, &ada, json!({ "namespace": "cli", "patch": { "a": 1 } })).await;
    let one = accounts.data(&ada.caller, ALL, json!({ "namespace": "cli" })).await;
    assert_eq!(
        one["preferences"]["clients"],
        json!([{ "namespace": "cli", "value": { "a": 1 }, "version": 1 }])
    );
    accounts.data(&ada.caller, CLEAR, json!({ "namespace": "web" })).await;
    accounts.data(&ada.caller, CLEAR, json!({ "namespace": "web" })).await;
    let left = accounts.data(&ada.caller, ALL, json!({})).await;
    assert_eq!(left["preferences"]["clients"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn namespaces_and_their_size_are_limited() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    for n in 0..32 {
        let made = patch(&accounts, &ada, json!({ "namespace": format!("n{n}"), "patch": { "a": n } })).await;
        assert_eq!(made.get("errors"), None, "{made}");
    }
    let more = patch(&accounts, &ada, json!({ "namespace": "one-more", "patch": {} })).await;
    assert_snapshot!(show(&more), @r#"{"errors":[{"message":"a person has at most 32 namespaces: clear one first","extensions":{"code":"CONFLICT","field":"input.namespace"},"path":["patchClientPreferences"]}],"data":null}"#);
    let large =
        patch(&accounts, &ada, json!({ "namespace": "n1", "patch": { "a": "x".repeat(16 * 1024) } })).await;
    assert_eq!(code(&large), "BAD_USER_INPUT");
    for name in ["", "Upper", "1st", "a b", &"x".repeat(65)] {
        assert_eq!(
            code(&patch(&accounts, &ada, json!({ "namespace": name, "patch": {} })).await),
            "BAD_USER_INPUT"
        );
    }
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.preferences").await, 32);
}

#[tokio::test]
async fn two_devices_that_patch_at_once_lose_nothing() {
    let accounts = Accounts::new().await;
    let ada = accounts.register("Ada").await;
    let (one, two) = tokio::join!(
        patch(&accounts, &ada, json!({ "namespace": "web", "patch": { "a": 1 } })),
        patch(&accounts, &ada, json!({ "namespace": "web", "patch": { "b": 2 } }))
    );
    assert_eq!((one.get("errors"), two.get("errors")), (None, None));
    let both = accounts.data(&ada.caller, ALL, json!({})).await;
    assert_eq!(both["preferences"]["clients"][0]["value"], json!({ "a": 1, "b": 2 }));
}
