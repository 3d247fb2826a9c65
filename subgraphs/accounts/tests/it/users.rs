use insta::assert_snapshot;
use serde_json::json;

use crate::harness::{Accounts, show};

const ME: &str = "{ me { name email createdAt version organizations(first: 1) {
    totalCount pageInfo { hasNextPage endCursor } nodes { slug viewerRole } } } }";

#[tokio::test]
async fn me_is_nobody_for_an_anonymous_caller() {
    let accounts = Accounts::new().await;
    let response = accounts.run(&accounts.anonymous(), ME, json!({})).await;
    assert_snapshot!(show(&response), @r#"{"data":{"me":null}}"#);
}

#[tokio::test]
async fn me_has_its_organizations_in_the_order_of_joining() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    for slug in ["zeta", "alpha", "mid"] {
        accounts.pass(1);
        accounts.found(&person, slug).await;
    }
    let data = accounts.data(&person.caller, ME, json!({})).await;
    assert_eq!(data["me"]["organizations"]["nodes"], json!([{ "slug": "zeta", "viewerRole": "OWNER" }]));
    assert_eq!(data["me"]["organizations"]["totalCount"], 3);
    let after = &data["me"]["organizations"]["pageInfo"]["endCursor"];
    let next = "query ($after: String) { organizations(after: $after) { nodes { slug } pageInfo { hasNextPage hasPreviousPage } } }";
    let response = accounts.run(&person.caller, next, json!({ "after": after })).await;
    assert_snapshot!(show(&response), @r#"{"data":{"organizations":{"nodes":[{"slug":"alpha"},{"slug":"mid"}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true}}}}"#);
    let last = "{ organizations(last: 2) { nodes { slug } pageInfo { hasNextPage hasPreviousPage } } }";
    assert_snapshot!(show(&accounts.run(&person.caller, last, json!({})).await), @r#"{"data":{"organizations":{"nodes":[{"slug":"alpha"},{"slug":"mid"}],"pageInfo":{"hasNextPage":false,"hasPreviousPage":true}}}}"#);
    let bad = "{ organizations(first: 101) { nodes { slug } } }";
    assert_snapshot!(show(&accounts.run(&person.caller, bad, json!({})).await), @r#"{"errors":[{"message":"`first` is 101, allowed is 1 to 100","extensions":{"code":"BAD_USER_INPUT","field":"first"},"path":["organizations"]}],"data":{"organizations":null}}"#);
    let foreign = r#"{ organizations(after: "x") { nodes { slug } } }"#;
    assert_snapshot!(show(&accounts.run(&person.caller, foreign, json!({})).await), @r#"{"errors":[{"message":"this cursor is not from this list with this order: start again without it","extensions":{"code":"BAD_USER_INPUT"},"path":["organizations"]}],"data":{"organizations":null}}"#);
}

#[tokio::test]
async fn a_person_changes_its_name_and_the_old_one_is_kept() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    accounts.register("Bea").await;
    let rename = r#"mutation { updateMe(input: { name: " Ada King " }) { user { name version } } }"#;
    assert_snapshot!(show(&accounts.run(&person.caller, rename, json!({})).await), @r#"{"data":{"updateMe":{"user":{"name":"Ada King","version":2}}}}"#);
    let kept = "SELECT count(*) FROM accounts.user_history WHERE version = 1 AND value->>'name' = 'Ada'";
    assert_eq!(accounts.count(kept).await, 1);
    let event = "SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.user' AND kind = 'updated'
                    AND version = 2 AND changed = '{name}' AND attributes = '{}'";
    assert_eq!(accounts.count(event).await, 1);
    let bad = r#"mutation { updateMe(input: { name: "" }) { user { name } } }"#;
    assert_snapshot!(show(&accounts.run(&person.caller, bad, json!({})).await), @r#"{"errors":[{"message":"a name has 1 to 120 characters, this one has 0","extensions":{"code":"BAD_USER_INPUT","field":"input.name"},"path":["updateMe"]}],"data":null}"#);
    assert_snapshot!(show(&accounts.run(&accounts.anonymous(), rename, json!({})).await), @r#"{"errors":[{"message":"sign in first: send an access token as `Authorization: Bearer <token>`","extensions":{"code":"UNAUTHENTICATED"},"path":["updateMe"]}],"data":null}"#);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.users WHERE version > 1").await, 1);
}

#[tokio::test]
async fn nobody_sees_the_organizations_of_somebody_else() {
    let accounts = Accounts::new().await;
    let owner = accounts.register("Bea").await;
    let (_, owner) = accounts.found(&owner, "acme").await;
    accounts.member(&owner, "Ada", "VIEWER").await;
    let query =
        "{ organization { members(role: VIEWER) { nodes { name organizations { nodes { slug } } } } } }";
    assert_snapshot!(show(&accounts.run(&owner.caller, query, json!({})).await), @r#"{"errors":[{"message":"only the person may see which organizations it is a member of","extensions":{"code":"FORBIDDEN"},"path":["organization","members","nodes",0,"organizations"]}],"data":{"organization":{"members":{"nodes":[{"name":"Ada","organizations":null}]}}}}"#);
}
