use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::harness::{Accounts, Person, show};

const CREATE: &str = "mutation ($input: CreateFeatureFlagInput!) { createFeatureFlag(input: $input) {
    featureFlag { id key isOn default rules { roles userIds percentage isOn } version } } }";
const UPDATE: &str = "mutation ($input: UpdateFeatureFlagInput!) { updateFeatureFlag(input: $input) {
    featureFlag { isOn version } } }";
const DELETE: &str = "mutation ($id: ID!) { deleteFeatureFlag(input: { id: $id }) { id } }";
const FLAGS: &str = "{ flags { key isOn reason } }";

async fn owner(accounts: &Accounts) -> Person {
    let owner = accounts.register("Ada").await;
    accounts.found(&owner, "acme").await.1
}

async fn create(accounts: &Accounts, by: &Person, input: Value) -> Value {
    accounts.run(&by.caller, CREATE, json!({ "input": input })).await
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_feature_is_on_for_those_of_whom_its_rules_say_so() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let member = accounts.member(&owner, "Mia", "MEMBER").await;
    let rules = json!([{ "userIds": [owner.id.to_string()], "isOn": false }, { "roles": ["MEMBER", "OWNER"], "isOn": true }]);
    let made = create(
        &accounts,
        &owner,
        json!({ "key": "new-board", "isOn": true, "rules": rules, "idempotencyKey": "k" }),
    )
    .await;
    assert_snapshot!(show(&made), @r#"{"data":{"createFeatureFlag":{"featureFlag":{"id":"[id]","key":"new-board","isOn":true,"default":false,"rules":[{"roles":[],"userIds":["[id]"],"percentage":null,"isOn":false},{"roles":["MEMBER","OWNER"],"userIds":[],"percentage":null,"isOn":true}],"version":1}}}}"#);
    let again = create(
        &accounts,
        &owner,
        json!({ "key": "new-board", "isOn": true, "rules": rules, "idempotencyKey": "k" }),
    )
    .await;
    assert_eq!(again, made);
    create(&accounts, &owner, json!({ "key": "all", "isOn": true, "default": true })).await;
    create(&accounts, &owner, json!({ "key": "none", "default": true })).await;
    let of_owner = accounts.run(&owner.caller, FLAGS, json!({})).await;
    assert_snapshot!(show(&of_owner), @r#"{"data":{"flags":[{"key":"all","isOn":true,"reason":"DEFAULT"},{"key":"new-board","isOn":false,"reason":"RULE"},{"key":"none","isOn":false,"reason":"OFF"}]}}"#);
    let of_member = accounts.data(&member.caller, FLAGS, json!({})).await;
    assert_eq!(of_member["flags"][1], json!({ "key": "new-board", "isOn": true, "reason": "RULE" }));
    let unknown =
        accounts.data(&member.caller, r#"{ flag(key: "nothing") { isOn reason } }"#, json!({})).await;
    assert_eq!(unknown["flag"], json!({ "isOn": false, "reason": "UNKNOWN" }));
    let change = "mutation ($id: ID!) { changeMemberRole(input: { userId: $id, role: VIEWER }) { membership { role } } }";
    accounts.data(&owner.caller, change, json!({ "id": member.id.to_string() })).await;
    let after = accounts.data(&member.caller, FLAGS, json!({})).await;
    assert_eq!(after["flags"][1]["isOn"], false);
}

#[tokio::test]
async fn features_are_for_admins_to_decide_and_bounded() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let member = accounts.member(&owner, "Mia", "MEMBER").await;
    assert_eq!(code(&create(&accounts, &member, json!({ "key": "a" })).await), "FORBIDDEN");
    assert_eq!(code(&accounts.run(&member.caller, "{ featureFlags { key } }", json!({})).await), "FORBIDDEN");
    for wrong in [
        json!({ "key": "Upper" }),
        json!({ "key": "a", "description": "x".repeat(501) }),
        json!({ "key": "a", "rules": [{ "percentage": 101, "isOn": true }] }),
        json!({ "key": "a", "rules": [{ "percentage": -1, "isOn": true }] }),
        json!({ "key": "a", "rules": vec![json!({ "isOn": true }); 21] }),
    ] {
        assert_eq!(code(&create(&accounts, &owner, wrong).await), "BAD_USER_INPUT");
    }
    let made = create(&accounts, &owner, json!({ "key": "a" })).await;
    let id = made["data"]["createFeatureFlag"]["featureFlag"]["id"].clone();
    assert_eq!(code(&create(&accounts, &owner, json!({ "key": "a" })).await), "CONFLICT");
    let input = json!({ "input": { "id": id, "version": 1, "isOn": true } });
    let updated = accounts.data(&owner.caller, UPDATE, input.clone()).await;
    assert_eq!(updated["updateFeatureFlag"]["featureFlag"], json!({ "isOn": true, "version": 2 }));
    assert_eq!(code(&accounts.run(&owner.caller, UPDATE, input).await), "CONFLICT");
    let stranger = accounts.register("Eve").await;
    let (_, stranger) = accounts.found(&stranger, "elsewhere").await;
    assert_eq!(code(&accounts.run(&stranger.caller, DELETE, json!({ "id": id })).await), "NOT_FOUND");
    accounts.data(&owner.caller, DELETE, json!({ "id": id })).await;
    assert_eq!(accounts.data(&owner.caller, FLAGS, json!({})).await["flags"], json!([]));
    assert_eq!(
        accounts.count("SELECT count(*) FROM accounts.history WHERE subject = 'accounts.feature_flag'").await,
        2
    );
    let fill = "WITH filled AS (
        INSERT INTO accounts.feature_flags (org_id, id, key, description, is_on, by_default, rules, created_at, updated_at)
        SELECT org_id, gen_random_uuid(), 'f' || n, '', false, false, '[]', created_at, created_at
          FROM accounts.organizations, generate_series(1, 200) AS n WHERE slug = 'acme' RETURNING 1)
        SELECT count(*) FROM filled";
    assert_eq!(accounts.count(fill).await, 200);
    let more = create(&accounts, &owner, json!({ "key": "one-more" })).await;
    assert_snapshot!(show(&more), @r#"{"errors":[{"message":"an organization has at most 200 feature flags: delete one first","extensions":{"code":"CONFLICT"},"path":["createFeatureFlag"]}],"data":null}"#);
}
