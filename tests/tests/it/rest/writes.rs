//! Routes that change.

use serde_json::{Value, json};

use super::{Rest, header};

#[tokio::test]
async fn things_are_made_changed_and_deleted() {
    let rest = Rest::new().await;
    let new = json!({ "key": "new", "name": "New", "type": "package", "properties": { "a": [1, null] } });
    let made = rest.call("POST", "/entities", &[], &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    let place = header(&made, "location").strip_prefix(super::ROOT).unwrap().to_owned();
    assert_eq!(place, format!("/entities/{}", made.json["id"].as_str().unwrap()));
    assert_eq!(made.json, rest.get(&place).await.json);
    assert_eq!(made.json["properties"], new["properties"]);
    let changed = rest.call("PATCH", &place, &[], &json!({ "description": "said" })).await;
    assert_eq!(changed.json, rest.get(&place).await.json, "{changed:?}");
    let deleted = rest.call("DELETE", &format!("{place}?refuseIfRelated=true"), &[], &Value::Null).await;
    assert_eq!(
        (deleted.status.as_u16(), &deleted.json["deletedRelationships"]),
        (200, &json!(0)),
        "{deleted:?}"
    );
    assert_eq!(rest.get(&place).await.status, 404);
    // What says no more than which it was says nothing.
    let relationship = format!("/relationships/{}", rest.graph.relationships[0]);
    let deleted = rest.call("DELETE", &relationship, &[], &Value::Null).await;
    assert_eq!((deleted.status.as_u16(), &deleted.json), (204, &json!("")));
    let by_name = rest.call("PATCH", "/entity-types/package", &[], &json!({ "description": "said" })).await;
    assert_eq!((by_name.status.as_u16(), &by_name.json["description"]), (200, &json!("said")), "{by_name:?}");
}

#[tokio::test]
async fn actions_do_what_mutations_do() {
    let rest = Rest::new().await;
    let webhook = format!("/webhooks/{}", rest.graph.webhook);
    let paused = rest.call("POST", &format!("{webhook}/pause"), &[], &Value::Null).await;
    assert_eq!(
        (paused.status.as_u16(), &paused.json["pauseReason"]),
        (200, &json!("REQUESTED")),
        "{paused:?}"
    );
    assert_eq!(paused.json, rest.get(&webhook).await.json);
    let rotated =
        rest.call("POST", &format!("{webhook}/rotate-secret"), &[], &json!({ "overlapHours": 1 })).await;
    assert_eq!(rotated.status, 200, "{rotated:?}");
    assert!(rotated.json["signingSecret"].is_string(), "{rotated:?}");
    assert_eq!(rotated.json["webhook"]["id"], rest.graph.webhook.as_str());

    let items = json!([{ "key": "p0", "name": "again", "type": "package" }, { "key": "q", "name": "q", "type": "package" }]);
    let batch = rest.call("POST", "/entities/upsert", &[], &json!({ "items": items })).await;
    assert_eq!((&batch.json["created"], &batch.json["updated"]), (&json!(1), &json!(1)), "{batch:?}");

    let member = &rest.tenant.member;
    let role = format!("/organization/members/{}/role", member.id);
    let changed = rest.call("PUT", &role, &[], &json!({ "role": "VIEWER" })).await;
    assert_eq!((changed.status.as_u16(), &changed.json["role"]), (200, &json!("VIEWER")), "{changed:?}");

    let signed_in =
        json!({ "email": member.email, "password": pulse_tests::PASSWORD, "organizationSlug": "alpha" });
    let session = rest.call_as(None, ("POST", "/sign-in"), &[], &signed_in).await;
    let token = session.json["accessToken"].as_str().unwrap_or_else(|| panic!("{session:?}"));
    let me = rest.call_as(Some(token), ("GET", "/me"), &[], &Value::Null).await;
    assert_eq!(me.json["email"], member.email.as_str());
    let out = rest.call_as(Some(token), ("POST", "/sign-out"), &[], &Value::Null).await;
    assert_eq!(out.status, 200, "{out:?}");
}
