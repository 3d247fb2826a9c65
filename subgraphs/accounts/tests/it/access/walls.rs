//! What one has to have to give, and what ends by itself.

use pulse_types::{Caller, Permission};
use serde_json::{Value, json};

use super::{ASSIGN, DELETE_ROLE, ENTITY, Stage, code, message, text};
use crate::harness::{ADD_MEMBER, email};

#[tokio::test]
async fn nobody_gives_a_role_of_which_they_lack_something() {
    let stage = Stage::new().await;
    let role = stage.role("Doors", &["member:manage", "member:read", "organization:read"]).await;
    let input = json!({ "userId": stage.viewer.id.to_string(), "roleId": role });
    stage.done(&stage.owner, ASSIGN, input).await;
    let keeper = stage.again(&stage.viewer).await;
    let change = "mutation ($input: ChangeMemberRoleInput!) { changeMemberRole(input: $input) { membership { role } } }";
    let own = json!({ "userId": keeper.id.to_string(), "role": "ADMIN" });
    let refused = stage.run(&keeper, change, own).await;
    assert_eq!(code(&refused), "FORBIDDEN", "{refused}");
    stage.accounts.register("Bea").await;
    let bea = |role: &str| json!({ "email": email("Bea"), "role": role });
    assert_eq!(code(&stage.run(&keeper, ADD_MEMBER, bea("ADMIN")).await), "FORBIDDEN");
    let invite =
        "mutation ($input: InviteMemberInput!) { inviteMember(input: $input) { invitation { id } } }";
    assert_eq!(code(&stage.run(&keeper, invite, bea("MEMBER")).await), "FORBIDDEN");
    // What the keeper has, it may give.
    stage.done(&keeper, ADD_MEMBER, bea("VIEWER")).await;
}

#[tokio::test]
async fn whoever_is_removed_and_comes_again_has_nothing_of_before() {
    let stage = Stage::new().await;
    let role = stage.role("Editors", &["entity:write"]).await;
    let viewer = stage.viewer.id.to_string();
    let assigned = stage.done(&stage.owner, ASSIGN, json!({ "userId": viewer, "roleId": role })).await;
    let assignment = text(&assigned["assignRole"]["assignment"]["id"]);
    let thing =
        json!({ "userId": viewer, "permission": "entity:delete", "resource": ENTITY, "effect": "ALLOW" });
    let grant = stage.grant(&stage.owner, thing).await;
    assert!(stage.held(&stage.viewer, None).await.scopes.contains(&Permission::ENTITY_WRITE));
    let remove = "mutation ($input: RemoveMemberInput!) { removeMember(input: $input) { userId } }";
    stage.done(&stage.owner, remove, json!({ "userId": viewer })).await;
    stage.done(&stage.owner, ADD_MEMBER, json!({ "email": email("Vera"), "role": "VIEWER" })).await;
    let now = stage.held(&stage.viewer, None).await;
    assert!(now.is_member && now.rights.is_none(), "{now:?}");
    assert!(!now.scopes.contains(&Permission::ENTITY_WRITE));
    let lists = "{ grants { totalCount } roleAssignments { totalCount } }";
    let lists = stage.accounts.data(&stage.owner.caller, lists, json!({})).await;
    assert_eq!(lists, json!({ "grants": { "totalCount": 0 }, "roleAssignments": { "totalCount": 0 } }));
    for (subject, id) in [("accounts.role_assignment", assignment), ("accounts.grant", grant)] {
        assert_eq!(stage.kept_and_told(subject, &id).await, (1, 1), "{subject}");
    }
}

#[tokio::test]
async fn what_holds_for_a_role_or_in_a_unit_ends_with_it_and_is_told() {
    let stage = Stage::new().await;
    let (role, other) =
        (stage.role("Editors", &["entity:write"]).await, stage.role("Readers", &["entity:read"]).await);
    let (unit, gone) = (stage.unit("north", None).await, stage.unit("south", None).await);
    let viewer = stage.viewer.id.to_string();
    let assign = async |input: Value| {
        text(&stage.done(&stage.owner, ASSIGN, input).await["assignRole"]["assignment"]["id"])
    };
    let of_role = assign(json!({ "userId": viewer, "roleId": role })).await;
    let of_unit = assign(json!({ "unitId": gone, "roleId": other })).await;
    let stays = assign(json!({ "unitId": unit, "roleId": other })).await;
    stage.done(&stage.owner, DELETE_ROLE, json!({ "id": role })).await;
    let delete = "mutation ($input: DeleteUnitInput!) { deleteUnit(input: $input) { deletedIds } }";
    stage.done(&stage.owner, delete, json!({ "id": gone })).await;
    for ended in [of_role, of_unit] {
        assert_eq!(stage.kept_and_told("accounts.role_assignment", &ended).await, (1, 1));
    }
    assert_eq!(stage.kept_and_told("accounts.role_assignment", &stays).await, (0, 0));
    assert!(!stage.held(&stage.viewer, None).await.scopes.contains(&Permission::ENTITY_WRITE));
}

#[tokio::test]
async fn the_secret_of_a_program_is_for_who_may_do_what_it_may() {
    let stage = Stage::new().await;
    let create = "mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) { serviceAccount { id } } }";
    let made =
        stage.done(&stage.owner, create, json!({ "name": "Robot", "scopes": ["organization:read"] })).await;
    let id = text(&made["createServiceAccount"]["serviceAccount"]["id"]);
    let role = stage.role("Machinists", &["api-key:manage", "api-key:read"]).await;
    stage.done(&stage.owner, ASSIGN, json!({ "userId": stage.viewer.id.to_string(), "roleId": role })).await;
    let keeper = stage.again(&stage.viewer).await;
    let rotate = "mutation ($input: RotateServiceAccountSecretInput!) { rotateServiceAccountSecret(input: $input) { clientSecret } }";
    stage.done(&keeper, rotate, json!({ "id": id })).await;
    let grant =
        json!({ "machineId": id, "permission": "entity:write", "resource": ENTITY, "effect": "ALLOW" });
    stage.grant(&stage.owner, grant).await;
    let refused = stage.run(&keeper, rotate, json!({ "id": id })).await;
    assert_eq!(code(&refused), "FORBIDDEN", "{refused}");
    assert!(message(&refused).starts_with("this program may do things on single resources"), "{refused}");
    stage.done(&stage.owner, rotate, json!({ "id": id })).await;
}

#[tokio::test]
async fn who_sees_access_in_one_unit_sees_what_is_laid_down_there_alone() {
    let stage = Stage::new().await;
    let role = stage.role("Editors", &["entity:write"]).await;
    let (north, south) = (stage.unit("north", None).await, stage.unit("south", None).await);
    for within in [json!(north), json!(south), Value::Null] {
        let input = json!({ "userId": stage.admin.id.to_string(), "roleId": role, "within": within });
        stage.done(&stage.owner, ASSIGN, input).await;
    }
    let seen = json!({
        "userId": stage.viewer.id.to_string(), "permission": "access:read", "resource": format!("unit:{north}"),
        "effect": "ALLOW",
    });
    stage.grant(&stage.owner, seen).await;
    let lists =
        "{ roleAssignments { totalCount nodes { within } } grants { totalCount nodes { resource } } }";
    let rights = stage.held(&stage.viewer, None).await.rights;
    let keeper = Caller { rights, ..stage.viewer.caller.clone() };
    let of = stage.accounts.data(&keeper, lists, json!({})).await;
    assert_eq!(of["roleAssignments"], json!({ "totalCount": 1, "nodes": [{ "within": north }] }));
    let grants = json!({ "totalCount": 1, "nodes": [{ "resource": format!("unit:{north}") }] });
    assert_eq!(of["grants"], grants);
    let all = stage.accounts.data(&stage.owner.caller, lists, json!({})).await;
    assert_eq!(all["roleAssignments"]["totalCount"], 3);
}
