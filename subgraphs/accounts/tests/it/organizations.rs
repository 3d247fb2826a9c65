use insta::assert_snapshot;
use pulse_types::Permission;
use serde_json::{Value, json};

use crate::harness::{Accounts, show, without};

const CREATE: &str = "mutation ($input: CreateOrganizationInput!) { createOrganization(input: $input) {
    organization { id slug name version createdAt viewerRole } } }";
const UPDATE: &str = "mutation ($input: UpdateOrganizationInput!) { updateOrganization(input: $input) {
    organization { slug name version viewerRole } } }";
const CURRENT: &str = "{ organization { slug name version viewerRole } }";

#[tokio::test]
async fn who_makes_an_organization_owns_it() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    let input = json!({ "slug": "acme", "name": "Acme" });
    assert_snapshot!(show(&accounts.run(&person.caller, CREATE, json!({ "input": input })).await), @r#"{"data":{"createOrganization":{"organization":{"id":"[id]","slug":"acme","name":"Acme","version":1,"createdAt":"2027-01-15T08:00:01+00:00","viewerRole":"OWNER"}}}}"#);
    let tenant = "SELECT count(*) FROM platform.outbox o JOIN accounts.organizations a ON a.org_id = o.tenant
                   WHERE o.subject IN ('accounts.organization', 'accounts.membership') AND o.kind = 'created'";
    assert_eq!(accounts.count(tenant).await, 2);
    let audit = "SELECT count(*) FROM platform.audit t JOIN accounts.organizations a ON a.org_id = t.org_id
                  WHERE t.action = 'organization:create' AND t.key = a.org_id AND t.version = 1";
    assert_eq!(accounts.count(audit).await, 1);
}

#[tokio::test]
async fn the_same_key_makes_one_organization() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    let input = json!({ "slug": "acme", "name": "Acme", "idempotencyKey": "once" });
    let request = || accounts.run(&person.caller, CREATE, json!({ "input": input }));
    let (one, other) = tokio::join!(request(), request());
    assert_eq!(one.get("errors"), None);
    assert_eq!(one, other);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.organizations").await, 1);
    let other = json!({ "slug": "other", "name": "Acme", "idempotencyKey": "once" });
    assert_snapshot!(show(&accounts.run(&person.caller, CREATE, json!({ "input": other })).await), @r#"{"errors":[{"message":"this idempotency key was used for another request: use a new key for a new request","extensions":{"code":"CONFLICT","field":"input.idempotencyKey"},"path":["createOrganization"]}],"data":null}"#);
}

#[tokio::test]
async fn bad_input_makes_no_organization() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    accounts.found(&person, "taken").await;
    let create = |input: Value| accounts.run(&person.caller, CREATE, json!({ "input": input }));
    assert_snapshot!(show(&create(json!({ "slug": "Acme Labs", "name": "Acme" })).await), @r#"{"errors":[{"message":"a slug has 2 to 63 characters of a-z, 0-9 and \"-\", such as acme-labs","extensions":{"code":"BAD_USER_INPUT","field":"input.slug"},"path":["createOrganization"]}],"data":null}"#);
    assert_snapshot!(show(&create(json!({ "slug": "acme", "name": "" })).await), @r#"{"errors":[{"message":"a name has 1 to 120 characters, this one has 0","extensions":{"code":"BAD_USER_INPUT","field":"input.name"},"path":["createOrganization"]}],"data":null}"#);
    assert_snapshot!(show(&create(json!({ "slug": "taken", "name": "Acme" })).await), @r#"{"errors":[{"message":"the slug \"taken\" is taken: choose another","extensions":{"code":"CONFLICT","field":"input.slug"},"path":["createOrganization"]}],"data":null}"#);
    let input = json!({ "input": { "slug": "acme", "name": "Acme" } });
    assert_snapshot!(show(&accounts.run(&accounts.anonymous(), CREATE, input).await), @r#"{"errors":[{"message":"sign in first: send an access token as `Authorization: Bearer <token>`","extensions":{"code":"UNAUTHENTICATED"},"path":["createOrganization"]}],"data":null}"#);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.organizations").await, 1);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.memberships").await, 1);
}

#[tokio::test]
async fn an_organization_is_seen_by_its_members_alone() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    assert_snapshot!(show(&accounts.run(&person.caller, CURRENT, json!({})).await), @r#"{"errors":[{"message":"choose an organization first: call `switchOrganization` and use the access token that it returns","extensions":{"code":"FORBIDDEN"},"path":["organization"]}],"data":{"organization":null}}"#);
    let (org, person) = accounts.found(&person, "acme").await;
    assert_snapshot!(show(&accounts.run(&person.caller, CURRENT, json!({})).await), @r#"{"data":{"organization":{"slug":"acme","name":"The acme","version":1,"viewerRole":"OWNER"}}}"#);
    let stranger = accounts.register("Eve").await;
    let (_, stranger) = accounts.found(&stranger, "elsewhere").await;
    let by_id = "query ($id: ID!) { organization(id: $id) { slug } }";
    let by_slug = r#"{ organization(slug: "acme") { slug } }"#;
    let id = json!({ "id": org.to_string() });
    let seen = json!({ "data": { "organization": { "slug": "acme" } } });
    let unseen = json!({ "data": { "organization": null } });
    assert_eq!(accounts.run(&person.caller, by_id, id.clone()).await, seen);
    assert_eq!(accounts.run(&person.caller, by_slug, json!({})).await, seen);
    assert_eq!(accounts.run(&stranger.caller, by_id, id.clone()).await, unseen);
    assert_eq!(accounts.run(&stranger.caller, by_slug, json!({})).await, unseen);
    let nobody = accounts.run(&accounts.anonymous(), by_id, id.clone()).await;
    assert_eq!(nobody["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let both = r#"query ($id: ID!) { organization(id: $id, slug: "acme") { slug } }"#;
    assert_snapshot!(show(&accounts.run(&person.caller, both, id.clone()).await), @r#"{"errors":[{"message":"give `id` or `slug`, not both","extensions":{"code":"BAD_USER_INPUT"},"path":["organization"]}],"data":{"organization":null}}"#);
    let blind = without(&person.caller, &Permission::ORGANIZATION_READ);
    assert_snapshot!(show(&accounts.run(&blind, CURRENT, json!({})).await), @r#"{"errors":[{"message":"you need the permission organization:read in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["organization"]}],"data":{"organization":null}}"#);
    assert_eq!(accounts.run(&blind, by_id, id).await, unseen);
    assert_eq!(accounts.run(&blind, by_slug, json!({})).await, unseen);
}

#[tokio::test]
async fn an_owner_changes_the_organization_and_the_old_values_are_kept() {
    let accounts = Accounts::new().await;
    let person = accounts.register("Ada").await;
    accounts.found(&person, "taken").await;
    let (_, owner) = accounts.found(&person, "acme").await;
    let update = |input: Value| accounts.run(&owner.caller, UPDATE, json!({ "input": input }));
    assert_snapshot!(show(&update(json!({ "name": "Acme Labs" })).await), @r#"{"data":{"updateOrganization":{"organization":{"slug":"acme","name":"Acme Labs","version":2,"viewerRole":"OWNER"}}}}"#);
    assert_snapshot!(show(&update(json!({ "slug": "acme-labs" })).await), @r#"{"data":{"updateOrganization":{"organization":{"slug":"acme-labs","name":"Acme Labs","version":3,"viewerRole":"OWNER"}}}}"#);
    assert_snapshot!(show(&update(json!({})).await), @r#"{"data":{"updateOrganization":{"organization":{"slug":"acme-labs","name":"Acme Labs","version":3,"viewerRole":"OWNER"}}}}"#);
    assert_snapshot!(show(&update(json!({ "slug": "taken" })).await), @r#"{"errors":[{"message":"the slug \"taken\" is taken: choose another","extensions":{"code":"CONFLICT","field":"input.slug"},"path":["updateOrganization"]}],"data":null}"#);
    assert_snapshot!(show(&update(json!({ "slug": "?" })).await), @r#"{"errors":[{"message":"a slug has 2 to 63 characters of a-z, 0-9 and \"-\", such as acme-labs","extensions":{"code":"BAD_USER_INPUT","field":"input.slug"},"path":["updateOrganization"]}],"data":null}"#);
    let kept = "SELECT count(*) FROM accounts.history WHERE subject = 'accounts.organization'
                   AND (version, value->>'name', value->>'slug') IN ((1, 'The acme', 'acme'), (2, 'Acme Labs', 'acme'))";
    assert_eq!(accounts.count(kept).await, 2);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.history").await, 2);
}

#[tokio::test]
async fn an_admin_does_not_change_the_organization() {
    let accounts = Accounts::new().await;
    let owner = accounts.register("Ada").await;
    let (_, owner) = accounts.found(&owner, "acme").await;
    let admin = accounts.member(&owner, "Bea", "ADMIN").await;
    let input = json!({ "input": { "name": "Bea's" } });
    assert_snapshot!(show(&accounts.run(&admin.caller, UPDATE, input).await), @r#"{"errors":[{"message":"you need the permission organization:manage in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["updateOrganization"]}],"data":null}"#);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.history").await, 0);
}
