use axum::body::Body;
use http::Request;
use insta::assert_snapshot;
use pulse_types::{Caller, Effect, Permission, Resource, ResourceKind};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

use crate::harness::{Accounts, Person, show, without};

const UPDATE: &str = "mutation ($input: UpdateSettingsInput!) { updateSettings(input: $input) {
    settings { unitId defaultLocale timeZone weekStart allowedEmailDomains version } } }";
const BRAND: &str = "mutation ($input: UpdateBrandingInput!) { updateBranding(input: $input) { settings {
    version branding { displayName logoUrl theme light { primary onPrimary } warnings { field contrast } } } } }";
const EFFECTIVE: &str = "query ($unit: ID) { effectiveSettings(unitId: $unit) {
    defaultLocale timeZone weekStart branding { displayName theme } sources { name unitId isDefault } } }";
const BRANDING_OF: &str = "query ($slug: String!) { brandingOf(slug: $slug) {
    displayName logoUrl theme light { primary } dark { primary } warnings { field } } }";
const UPLOAD: &str = "mutation ($data: String!) { uploadLogo(input: { data: $data }) {
    settings { branding { logoUrl } } } }";
const PNG: &str = "iVBORw0KGgoAAAANSUhEUg==";

async fn owner(accounts: &Accounts) -> Person {
    let owner = accounts.register("Ada").await;
    accounts.found(&owner, "acme").await.1
}

async fn run(accounts: &Accounts, by: &Person, mutation: &str, input: Value) -> Value {
    accounts.run(&by.caller, mutation, json!({ "input": input })).await
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

/// A sub-organization and a team in it.
async fn units(accounts: &Accounts) -> [String; 2] {
    let mut connection = accounts.database.connect().await.unwrap();
    let mut made = Vec::new();
    for (kind, name) in [("organization", "Research"), ("team", "Lab")] {
        let sql = "INSERT INTO accounts.units (org_id, id, kind, parent, name, created_at, updated_at)
                   SELECT org_id, gen_random_uuid(), $1, $2::uuid, $3, now(), now() FROM accounts.organizations RETURNING id::text";
        let insert = sqlx::query_scalar(sql).bind(kind).bind(made.last().cloned()).bind(name);
        let id: String = insert.fetch_one(&mut connection).await.unwrap();
        made.push(id);
    }
    made.try_into().unwrap()
}

#[tokio::test]
async fn the_nearest_place_wins_and_says_so() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let [research, lab] = units(&accounts).await;
    let nothing =
        accounts.data(&owner.caller, "{ settings { version updatedAt timeZone } }", json!({})).await;
    assert_eq!(nothing["settings"], json!({ "version": 0, "updatedAt": null, "timeZone": null }));
    let tenant =
        run(&accounts, &owner, UPDATE, json!({ "defaultLocale": "de-at", "timeZone": "Europe/Vienna" }))
            .await;
    assert_snapshot!(show(&tenant), @r#"{"data":{"updateSettings":{"settings":{"unitId":null,"defaultLocale":"de-AT","timeZone":"Europe/Vienna","weekStart":null,"allowedEmailDomains":null,"version":1}}}}"#);
    let unit = run(
        &accounts,
        &owner,
        UPDATE,
        json!({ "unitId": research, "timeZone": "America/New_York", "weekStart": "SUNDAY" }),
    )
    .await;
    assert_eq!(unit.get("errors"), None, "{unit}");
    let team = run(&accounts, &owner, UPDATE, json!({ "unitId": lab, "defaultLocale": "en" })).await;
    assert_eq!(team.get("errors"), None, "{team}");
    let effective = accounts.data(&owner.caller, EFFECTIVE, json!({ "unit": lab })).await;
    let effective = &effective["effectiveSettings"];
    assert_eq!(effective["defaultLocale"], "en");
    assert_eq!(effective["timeZone"], "America/New_York");
    assert_eq!(effective["branding"]["theme"], "SYSTEM");
    let sources = effective["sources"].as_array().unwrap();
    assert_eq!(sources[0], json!({ "name": "defaultLocale", "unitId": lab, "isDefault": false }));
    assert_eq!(sources[1], json!({ "name": "timeZone", "unitId": research, "isDefault": false }));
    assert_eq!(sources[3], json!({ "name": "allowedEmailDomains", "unitId": null, "isDefault": true }));
    // What is null is left to the place above again.
    run(&accounts, &owner, UPDATE, json!({ "unitId": lab, "defaultLocale": null })).await;
    let effective = accounts.data(&owner.caller, EFFECTIVE, json!({ "unit": lab })).await;
    assert_eq!(effective["effectiveSettings"]["defaultLocale"], "de-AT");
    let kept = "SELECT count(*) FROM accounts.history WHERE subject = 'accounts.settings' AND value->'settings' = '{\"default_locale\": \"en\"}'";
    assert_eq!(accounts.count(kept).await, 1);
    assert_eq!(
        accounts.count("SELECT count(*) FROM platform.outbox WHERE subject = 'accounts.settings'").await,
        4
    );
}

#[tokio::test]
async fn settings_need_the_permission_the_version_and_sound_values() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let admin = accounts.member(&owner, "Zoe", "ADMIN").await;
    let member = accounts.member(&owner, "Mia", "MEMBER").await;
    assert_eq!(run(&accounts, &admin, UPDATE, json!({ "weekStart": "MONDAY" })).await.get("errors"), None);
    let refused = run(&accounts, &member, UPDATE, json!({ "weekStart": "SUNDAY" })).await;
    assert_snapshot!(show(&refused), @r#"{"errors":[{"message":"you need the permission settings:manage in this organization; ask one of its admins","extensions":{"code":"FORBIDDEN"},"path":["updateSettings"]}],"data":null}"#);
    let blind = without(&owner.caller, &Permission::ORGANIZATION_READ);
    assert_eq!(code(&accounts.run(&blind, EFFECTIVE, json!({})).await), "FORBIDDEN");
    let stale = run(&accounts, &owner, UPDATE, json!({ "version": 0, "weekStart": "SUNDAY" })).await;
    assert_snapshot!(show(&stale), @r#"{"errors":[{"message":"these settings have version 1 by now: read them again, and change what you still want to","extensions":{"code":"CONFLICT","field":"input.version"},"path":["updateSettings"]}],"data":null}"#);
    for (input, field) in [
        (json!({ "defaultLocale": "german" }), "input.defaultLocale"),
        (json!({ "timeZone": "Mars/Olympus" }), "input.timeZone"),
        (json!({ "allowedEmailDomains": [] }), "input.allowedEmailDomains"),
        (json!({ "allowedEmailDomains": ["not a domain"] }), "input.allowedEmailDomains"),
    ] {
        let wrong = run(&accounts, &owner, UPDATE, input).await;
        assert_eq!(wrong["errors"][0]["extensions"], json!({ "code": "BAD_USER_INPUT", "field": field }));
    }
    let nowhere = json!({ "unitId": owner.id.to_string(), "weekStart": "SUNDAY" });
    assert_eq!(code(&run(&accounts, &owner, UPDATE, nowhere).await), "NOT_FOUND");
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.settings").await, 1);
}

#[tokio::test]
async fn addresses_of_other_domains_are_not_invited() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let [research, _] = units(&accounts).await;
    let domains = json!({ "allowedEmailDomains": ["Acme.Example", "acme.test"] });
    assert_eq!(run(&accounts, &owner, UPDATE, domains.clone()).await.get("errors"), None);
    let of_unit = json!({ "unitId": research, "allowedEmailDomains": ["acme.test"] });
    assert_eq!(code(&run(&accounts, &owner, UPDATE, of_unit).await), "BAD_USER_INPUT");
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { email } } }";
    let other = run(&accounts, &owner, invite, json!({ "email": "bea@example.com", "role": "VIEWER" })).await;
    assert_snapshot!(show(&other), @r#"{"errors":[{"message":"your organization invites addresses of these domains alone: acme.example, acme.test","extensions":{"code":"BAD_USER_INPUT","field":"input.email"},"path":["inviteMember"]}],"data":null}"#);
    let own = run(&accounts, &owner, invite, json!({ "email": "bea@acme.example", "role": "VIEWER" })).await;
    assert_eq!(own.get("errors"), None);
}

#[tokio::test]
async fn everybody_sees_how_an_organization_looks_and_nothing_else() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let of =
        async |slug: &str| accounts.run(&accounts.anonymous(), BRANDING_OF, json!({ "slug": slug })).await;
    let unknown = of("nobody").await;
    assert_snapshot!(show(&unknown), @r##"{"data":{"brandingOf":{"displayName":null,"logoUrl":null,"theme":"SYSTEM","light":{"primary":"#1a56db"},"dark":{"primary":"#76a9fa"},"warnings":[]}}}"##);
    assert_eq!(of("acme").await, unknown);
    let light =
        json!({ "primary": "#FFFF00", "onPrimary": "#ffffff", "background": "#ffffff", "text": "#777777" });
    let looks = json!({ "displayName": "Acme", "logoUrl": "https://cdn.example.com/logo.png", "theme": "LIGHT", "light": light });
    let branded = run(&accounts, &owner, BRAND, looks).await;
    assert_snapshot!(show(&branded), @r##"{"data":{"updateBranding":{"settings":{"version":1,"branding":{"displayName":"Acme","logoUrl":"https://cdn.example.com/logo.png","theme":"LIGHT","light":{"primary":"#ffff00","onPrimary":"#ffffff"},"warnings":[{"field":"light.onPrimary","contrast":1.07},{"field":"light.text","contrast":4.47}]}}}}}"##);
    let seen = of("acme").await;
    assert_eq!(seen["data"]["brandingOf"]["displayName"], "Acme");
    for input in [
        json!({ "logoUrl": "http://cdn.example.com/logo.png" }),
        json!({ "displayName": "a\nb" }),
        json!({ "light": { "primary": "yellow", "background": "#ffffff", "text": "#000000" } }),
    ] {
        assert_eq!(code(&run(&accounts, &owner, BRAND, input).await), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn an_uploaded_logo_is_served_to_everybody_until_there_is_another() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let uploaded = accounts.data(&owner.caller, UPLOAD, json!({ "data": PNG })).await;
    let path = uploaded["uploadLogo"]["settings"]["branding"]["logoUrl"].as_str().unwrap().to_owned();
    let get = async |path: &str| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        accounts.subgraph.routes.clone().oneshot(request).await.unwrap()
    };
    let served = get(&path).await;
    let header = |name: &str| served.headers()[name].to_str().unwrap().to_owned();
    assert_eq!((served.status().as_u16(), header("content-type").as_str()), (200, "image/png"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    let svg = accounts.run(&owner.caller, UPLOAD, json!({ "data": "PHN2Zy8+" })).await;
    assert_snapshot!(show(&svg), @r#"{"errors":[{"message":"a logo is a PNG, a JPEG or a WebP picture, in Base64","extensions":{"code":"BAD_USER_INPUT","field":"input.data"},"path":["uploadLogo"]}],"data":null}"#);
    accounts.data(&owner.caller, UPLOAD, json!({ "data": PNG })).await;
    assert_eq!(get(&path).await.status().as_u16(), 404);
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.logos").await, 1);
    run(&accounts, &owner, BRAND, json!({ "logoUrl": null })).await;
    assert_eq!(accounts.count("SELECT count(*) FROM accounts.logos").await, 0);
    assert_eq!(get("/logos/x").await.status().as_u16(), 404);
}

#[tokio::test]
async fn two_who_change_settings_at_once_both_do() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let (one, two) = tokio::join!(
        run(&accounts, &owner, UPDATE, json!({ "weekStart": "SUNDAY" })),
        run(&accounts, &owner, UPDATE, json!({ "timeZone": "UTC" }))
    );
    assert_eq!((one.get("errors"), two.get("errors")), (None, None));
    let both = accounts.data(&owner.caller, "{ settings { weekStart timeZone version } }", json!({})).await;
    assert_eq!(both["settings"], json!({ "weekStart": "SUNDAY", "timeZone": "UTC", "version": 2 }));
}

#[tokio::test]
async fn rights_on_one_unit_are_for_its_settings_alone() {
    let accounts = Accounts::new().await;
    let owner = owner(&accounts).await;
    let member = accounts.member(&owner, "Mia", "MEMBER").await;
    let [research, lab] = units(&accounts).await;
    let thing = |unit: &str| Resource::new(ResourceKind::UNIT, unit.parse::<Uuid>().unwrap());
    let may = [(Effect::Allow, Permission::SETTINGS_MANAGE, thing(&lab))];
    let keeper = Caller { rights: may.into_iter().collect(), ..member.caller.clone() };
    let change = async |unit: Value| {
        let input = json!({ "unitId": unit, "weekStart": "SUNDAY" });
        accounts.run(&keeper, UPDATE, json!({ "input": input })).await
    };
    assert_eq!(change(json!(lab)).await.get("errors"), None);
    for elsewhere in [json!(research), Value::Null] {
        assert_eq!(code(&change(elsewhere).await), "FORBIDDEN");
    }
    let hidden = [(Effect::Deny, Permission::UNIT_READ, thing(&lab))];
    let blind = Caller { rights: hidden.into_iter().collect(), ..member.caller.clone() };
    let of = accounts.run(&blind, EFFECTIVE, json!({ "unit": lab })).await;
    assert_eq!(code(&of), "NOT_FOUND");
    assert_eq!(accounts.run(&blind, EFFECTIVE, json!({ "unit": research })).await.get("errors"), None);
}
