//! Exports.

use serde_json::{Value, json};

use super::{MARKS, Stage};

#[tokio::test]
async fn an_export_has_what_every_part_knows_of_the_person_and_nothing_of_anybody_else() {
    let stage = Stage::new().await;
    let id = stage.export().await;
    let path = stage.download_path(&stage.person.token, id).await;
    let answer = stage.platform.get_as(&stage.person.token, &path).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["cache-control"], "private, no-store");
    let exported = &answer.json;
    assert_eq!(exported["person"], stage.person.id);
    let rows = |owner: &str, table: &str| -> Vec<Value> {
        exported["data"][owner][format!("{owner}.{table}")].as_array().cloned().unwrap_or_default()
    };
    let all = exported.to_string();
    for mark in &MARKS[..5] {
        assert!(all.contains(mark), "{mark} is missing in {exported:#}");
    }
    assert_eq!(rows("accounts", "users")[0]["email"], MARKS[0]);
    assert_eq!(rows("accounts", "user_history")[0]["value"]["name"], MARKS[1]);
    assert_eq!(rows("accounts", "memberships")[0]["org_id"], stage.alpha.id);
    assert_eq!(rows("accounts", "unit_members").len(), 1);
    assert!(rows("accounts", "history").iter().any(|row| row["subject"] == "accounts.unit_member"));
    assert_eq!(rows("accounts", "consents").len(), 2);
    assert_eq!(rows("analytics", "events").len(), 1);
    for (owner, table) in [("entities", "history"), ("vectors", "history"), ("operations", "history")] {
        let rows = rows(owner, table);
        assert!(
            !rows.is_empty() && rows.iter().all(|row| row["actor"] == stage.person.id),
            "{owner}: {rows:?}"
        );
        // What it was is the tenant's.
        assert!(rows.iter().all(|row| row.get("value").is_none()), "{owner}: {rows:?}");
    }
    let audited = rows("platform", "audit");
    assert!(audited.iter().any(|fact| fact["action"] == "entity:update" && fact["address"] == "127.0.0.1"));
    for secret in ["password_hash", "\"hash\"", "argon2", "\"salt\""] {
        assert!(!all.contains(secret), "{secret} is exported");
    }
    for tenant in [&stage.alpha, &stage.beta] {
        for other in tenant.people() {
            assert!(
                !all.contains(&other.email) && !all.contains(&other.id),
                "{} is exported: {all}",
                other.email
            );
        }
    }
}

#[tokio::test]
async fn an_admin_gets_what_the_organization_has_of_a_member() {
    let stage = Stage::new().await;
    let create = "mutation { createOrganization(input: { slug: \"elsewhere\", name: \"Marker Elsewhere\" }) { organization { id } } }";
    let data = stage.platform.data(&stage.person.token, create, json!({})).await;
    let elsewhere = super::text(&data["createOrganization"]["organization"]["id"]);
    let ask = "mutation ($id: ID!) { exportUserData(input: { userId: $id }) { export { id } } }";
    let owner = &stage.alpha.owner.token;
    let data = stage.platform.data(owner, ask, json!({ "id": stage.person.id })).await;
    let id = super::text(&data["exportUserData"]["export"]["id"]).parse().unwrap();
    stage.until(id, "completed").await;
    let path = stage.download_path(owner, id).await;
    let exported = stage.platform.get_as(owner, &path).await.json;
    let accounts = &exported["data"]["accounts"];
    assert_eq!(
        accounts["accounts.users"],
        json!([{ "user_id": stage.person.id, "email": MARKS[0], "name": MARKS[2] }])
    );
    assert_eq!(accounts["accounts.memberships"][0]["role"], "admin");
    let all = exported.to_string();
    for hidden in [MARKS[1], MARKS[3], MARKS[4], "Marker Elsewhere", &elsewhere] {
        assert!(!all.contains(hidden), "{hidden} is exported: {exported:#}");
    }
    // Neither the person nor anybody else sees what the owner has asked for.
    let find = "query ($id: ID!) { dataExport(id: $id) { id } }";
    for other in [&stage.person.token, &stage.alpha.admin.token, &stage.beta.owner.token] {
        assert_eq!(stage.platform.data(other, find, json!({ "id": id })).await["dataExport"], Value::Null);
    }
}
