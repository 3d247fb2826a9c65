//! Roles of an organization's own, who has them, single permissions, and saying why.

mod walls;

use pulse_accounts::{AccessSubject, Held, Machines};
use pulse_types::{Caller, Effect, MachineId, Permission, Resource, ResourceRights};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::harness::{Accounts, Person, without};

const CREATE_ROLE: &str = "mutation ($input: CreateRoleInput!) { createRole(input: $input) {
    role { id name description permissions version } } }";
const UPDATE_ROLE: &str =
    "mutation ($input: UpdateRoleInput!) { updateRole(input: $input) { role { name permissions version } } }";
const DELETE_ROLE: &str = "mutation ($input: DeleteRoleInput!) { deleteRole(input: $input) { id } }";
const ROLES: &str = "{ roles { totalCount nodes { name } } }";
const ASSIGN: &str = "mutation ($input: AssignRoleInput!) { assignRole(input: $input) {
    assignment { id userId unitId template within role { name } user { name } } } }";
const UNASSIGN: &str = "mutation ($input: UnassignRoleInput!) { unassignRole(input: $input) { id } }";
const GRANT: &str = "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) {
    grant { id userId unitId machineId effect permission resource expiresAt } } }";
const REVOKE: &str = "mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { id } }";
const EXPLAIN: &str = "query ($userId: ID, $machineId: ID, $permission: String!, $resource: String, $unitId: ID) {
    explainAccess(userId: $userId, machineId: $machineId, permission: $permission, resource: $resource, unitId: $unitId) {
        allowed effect reasons { source effect counts ofMaker template roleName grantId through { name } path { name } resource } } }";

const ENTITY: &str = "entity:01890a5d-ac96-774b-bcce-b302099a8057";

/// Accounts with an owner, an admin and a viewer.
struct Stage {
    accounts: Accounts,
    owner: Person,
    admin: Person,
    viewer: Person,
}

impl Stage {
    async fn new() -> Self {
        let accounts = Accounts::new().await;
        let ada = accounts.register("Ada").await;
        let (_, owner) = accounts.found(&ada, "acme").await;
        let admin = accounts.member(&owner, "Adam", "ADMIN").await;
        let viewer = accounts.member(&owner, "Vera", "VIEWER").await;
        Self { accounts, owner, admin, viewer }
    }

    async fn run(&self, by: &Person, query: &str, input: Value) -> Value {
        self.accounts.run(&by.caller, query, json!({ "input": input })).await
    }

    async fn done(&self, by: &Person, query: &str, input: Value) -> Value {
        self.accounts.data(&by.caller, query, json!({ "input": input })).await
    }

    async fn role(&self, name: &str, permissions: &[&str]) -> String {
        let input = json!({ "name": name, "permissions": permissions });
        text(&self.done(&self.owner, CREATE_ROLE, input).await["createRole"]["role"]["id"])
    }

    async fn grant(&self, by: &Person, input: Value) -> String {
        text(&self.done(by, GRANT, input).await["grantAccess"]["grant"]["id"])
    }

    /// A unit, made beneath the API.
    async fn unit(&self, name: &str, parent: Option<&str>) -> String {
        let org = self.owner.caller.org.unwrap();
        let id = pulse_types::UnitId::new(self.accounts.store.clock().now());
        let parent = parent.map_or("NULL".to_owned(), |parent| format!("'{parent}'"));
        let insert = format!(
            "INSERT INTO accounts.units (org_id, id, kind, parent, name, created_at, updated_at)
             VALUES ('{org}', '{id}', 'organization', {parent}, '{name}', now(), now())"
        );
        self.sql(insert).await;
        id.to_string()
    }

    async fn join(&self, unit: &str, person: &Person) {
        let (org, id) = (self.owner.caller.org.unwrap(), person.id);
        self.sql(format!("INSERT INTO accounts.unit_members VALUES ('{org}', '{unit}', '{id}', now())"))
            .await;
    }

    async fn sql(&self, sql: String) {
        let mut connection = self.accounts.database.connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }

    /// Whom the person is with the next token.
    async fn again(&self, person: &Person) -> Person {
        self.accounts.switch(person, self.owner.caller.org.unwrap()).await
    }

    /// What a gateway learns of the person, or of a program that the person answers for.
    async fn held(&self, person: &Person, machine: Option<(MachineId, &[&str])>) -> Held {
        let scopes = |names: &[&str]| names.iter().map(|name| Permission::from((*name).to_owned())).collect();
        let machine = machine.map(|(id, names)| (id, scopes(names)));
        let subject = AccessSubject { user: person.id, machine };
        let machines = Machines::new(self.accounts.store.clone());
        machines.access(self.owner.caller.org.unwrap(), &[subject]).await.unwrap().remove(0)
    }

    /// How often the end of a thing stands in the history, and in the log.
    async fn kept_and_told(&self, subject: &str, id: &str) -> (i64, i64) {
        let sql = "SELECT (SELECT count(*) FROM accounts.history WHERE subject = $1 AND id = $2::uuid),
                          (SELECT count(*) FROM platform.outbox WHERE subject = $1 AND key = $2::uuid AND kind = 'deleted')";
        let mut connection = self.accounts.database.connect().await.unwrap();
        sqlx::query_as(sql).bind(subject).bind(id).fetch_one(&mut connection).await.unwrap()
    }

    async fn explain(&self, by: &Person, variables: Value) -> Value {
        self.accounts.data(&by.caller, EXPLAIN, variables).await["explainAccess"].take()
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

fn message(response: &Value) -> &str {
    response["errors"][0]["message"].as_str().unwrap_or_default()
}

fn may(caller: &Caller, permission: &Permission) -> bool {
    caller.require(permission).is_ok()
}

#[tokio::test]
async fn a_role_is_made_changed_and_deleted_and_nobody_gives_what_they_lack() {
    let stage = Stage::new().await;
    let input = json!({
        "name": "Editors", "description": "Write.", "permissions": ["entity:write", "entity:read", "entity:read"],
        "idempotencyKey": "once",
    });
    let made = stage.done(&stage.admin, CREATE_ROLE, input.clone()).await;
    let role = &made["createRole"]["role"];
    assert_eq!(role["permissions"], json!(["entity:read", "entity:write"]));
    assert_eq!(stage.done(&stage.admin, CREATE_ROLE, input).await, made, "it is made once");
    let id = text(&role["id"]);
    let update =
        json!({ "id": id, "name": "Writers", "permissions": ["entity:write"], "expectedVersion": 1 });
    let changed = stage.done(&stage.admin, UPDATE_ROLE, update.clone()).await;
    let expected = json!({ "name": "Writers", "permissions": ["entity:write"], "version": 2 });
    assert_eq!(changed["updateRole"]["role"], expected);
    assert_eq!(code(&stage.run(&stage.admin, UPDATE_ROLE, update).await), "CONFLICT");
    let new = |name: &str, permission: &str| json!({ "name": name, "permissions": [permission] });
    for (input, expected) in [
        (new("Bosses", "organization:manage"), "FORBIDDEN"),
        (new("Odd", "thing:read"), "BAD_USER_INPUT"),
        (new("Owner", "entity:read"), "CONFLICT"),
        (new("wRiters", "entity:read"), "CONFLICT"),
        (new("", "entity:read"), "BAD_USER_INPUT"),
        (json!({ "name": "Empty", "permissions": [] }), "BAD_USER_INPUT"),
    ] {
        let refused = stage.run(&stage.admin, CREATE_ROLE, input.clone()).await;
        assert_eq!(code(&refused), expected, "{input}: {refused}");
    }
    let wider = json!({ "id": id, "permissions": ["entity:write", "organization:manage"] });
    assert_eq!(code(&stage.run(&stage.admin, UPDATE_ROLE, wider.clone()).await), "FORBIDDEN");
    stage.done(&stage.owner, UPDATE_ROLE, wider).await;
    // What it gives already, somebody who lacks it may leave in it.
    let kept = json!({ "id": id, "permissions": ["entity:read", "organization:manage"] });
    stage.done(&stage.admin, UPDATE_ROLE, kept).await;
    let (_, other) = stage.accounts.found(&stage.accounts.register("Otto").await, "other").await;
    assert_eq!(code(&stage.run(&other, DELETE_ROLE, json!({ "id": id })).await), "NOT_FOUND");
    let seen = stage.accounts.data(&other.caller, ROLES, json!({})).await;
    assert_eq!(seen["roles"]["totalCount"], 0);
    stage.done(&stage.admin, DELETE_ROLE, json!({ "id": id })).await;
    assert_eq!(code(&stage.run(&stage.admin, DELETE_ROLE, json!({ "id": id })).await), "NOT_FOUND");
    let history = "SELECT count(*) FROM accounts.history WHERE subject = 'accounts.role'";
    assert_eq!(stage.accounts.count(history).await, 4);
}

#[tokio::test]
async fn an_organization_has_a_hundred_roles_however_many_ask_at_once() {
    let stage = Stage::new().await;
    let org = stage.owner.caller.org.unwrap();
    stage
        .sql(format!(
            "INSERT INTO accounts.roles (org_id, id, name, description, permissions, created_at, updated_at)
             SELECT '{org}', gen_random_uuid(), 'role ' || n, '', '{{entity:read}}', now(), now()
               FROM generate_series(1, 98) n"
        ))
        .await;
    let new = |n: usize| {
        stage.run(
            &stage.owner,
            CREATE_ROLE,
            json!({ "name": format!("new {n}"), "permissions": ["entity:read"] }),
        )
    };
    let answers = futures::future::join_all((0..4).map(new)).await;
    let refused: Vec<_> = answers.iter().map(code).filter(|code| !code.is_empty()).collect();
    assert_eq!(refused, ["CONFLICT", "CONFLICT"]);
}

#[tokio::test]
async fn a_role_that_is_given_is_in_the_next_token_and_gone_when_it_is_taken_away() {
    let stage = Stage::new().await;
    let role = stage.role("Editors", &["entity:write", "webhook:manage"]).await;
    let (write, manage) = (&Permission::ENTITY_WRITE, &Permission::WEBHOOK_MANAGE);
    assert!(!may(&stage.viewer.caller, write));
    let input = json!({ "userId": stage.viewer.id, "roleId": role });
    let given = stage.done(&stage.admin, ASSIGN, input.clone()).await;
    let given = &given["assignRole"]["assignment"];
    assert_eq!((&given["role"]["name"], &given["user"]["name"]), (&json!("Editors"), &json!("Vera")));
    assert_eq!(code(&stage.run(&stage.admin, ASSIGN, input).await), "CONFLICT");
    let vera = stage.again(&stage.viewer).await;
    assert!(may(&vera.caller, write) && may(&vera.caller, manage));
    stage.done(&stage.owner, UPDATE_ROLE, json!({ "id": role, "permissions": ["entity:write"] })).await;
    let vera = stage.again(&stage.viewer).await;
    assert!(may(&vera.caller, write) && !may(&vera.caller, manage));
    stage.done(&stage.admin, UNASSIGN, json!({ "id": given["id"] })).await;
    assert!(!may(&stage.again(&stage.viewer).await.caller, write));
    // With the role it goes from all who have it.
    stage.done(&stage.admin, ASSIGN, json!({ "userId": stage.viewer.id, "roleId": role })).await;
    stage.done(&stage.owner, DELETE_ROLE, json!({ "id": role })).await;
    assert!(!may(&stage.again(&stage.viewer).await.caller, write));
}

#[tokio::test]
async fn what_is_given_to_a_unit_its_members_have_and_those_below() {
    let stage = Stage::new().await;
    let north = stage.unit("north", None).await;
    let team = stage.unit("team", Some(&north)).await;
    let elsewhere = stage.unit("south", None).await;
    stage.join(&team, &stage.viewer).await;
    let member = json!({ "unitId": north, "template": "MEMBER" });
    stage.done(&stage.admin, ASSIGN, member).await;
    assert!(may(&stage.again(&stage.viewer).await.caller, &Permission::ENTITY_WRITE));
    // In a unit: there and below, and nowhere else.
    let inside = json!({ "userId": stage.viewer.id, "template": "ADMIN", "within": north });
    stage.done(&stage.owner, ASSIGN, inside).await;
    let rights = stage.held(&stage.viewer, None).await.rights;
    let on = |unit: &str| {
        rights.on(&Permission::ACCESS_MANAGE, &format!("unit:{unit}").parse::<Resource>().unwrap())
    };
    assert_eq!((on(&north), on(&team), on(&elsewhere)), (Some(Effect::Allow), Some(Effect::Allow), None));
    // Who manages a unit gives there what they have there.
    let vera = stage.again(&stage.viewer).await;
    let vera = Person { caller: Caller { rights, ..vera.caller.clone() }, ..vera };
    let give = |unit: &str| json!({ "userId": stage.admin.id, "template": "VIEWER", "within": unit });
    let given = stage.done(&vera, ASSIGN, give(&team)).await;
    assert_eq!(code(&stage.run(&vera, ASSIGN, give(&elsewhere)).await), "FORBIDDEN");
    let whole = json!({ "userId": stage.admin.id, "template": "VIEWER" });
    assert_eq!(code(&stage.run(&vera, ASSIGN, whole.clone()).await), "FORBIDDEN");
    let given_in_whole = stage.done(&stage.owner, ASSIGN, whole).await;
    let hidden = json!({ "id": given_in_whole["assignRole"]["assignment"]["id"] });
    assert_eq!(code(&stage.run(&vera, UNASSIGN, hidden).await), "NOT_FOUND");
    stage.done(&vera, UNASSIGN, json!({ "id": given["assignRole"]["assignment"]["id"] })).await;
}

#[tokio::test]
async fn roles_are_given_to_somebody_who_is_there_and_make_no_owners() {
    let stage = Stage::new().await;
    let bosses = stage.role("Bosses", &["organization:manage"]).await;
    let (_, other) = stage.accounts.found(&stage.accounts.register("Otto").await, "other").await;
    let viewer = &stage.viewer.id;
    let nobody = Uuid::nil();
    for (input, expected) in [
        (json!({ "userId": viewer, "template": "OWNER" }), "BAD_USER_INPUT"),
        (json!({ "userId": viewer, "roleId": bosses }), "FORBIDDEN"),
        (json!({ "userId": viewer }), "BAD_USER_INPUT"),
        (json!({ "userId": viewer, "roleId": bosses, "template": "VIEWER" }), "BAD_USER_INPUT"),
        (json!({ "template": "VIEWER" }), "BAD_USER_INPUT"),
        (json!({ "userId": viewer, "unitId": nobody, "template": "VIEWER" }), "BAD_USER_INPUT"),
        (json!({ "userId": other.id, "template": "VIEWER" }), "NOT_FOUND"),
        (json!({ "unitId": nobody, "template": "VIEWER" }), "NOT_FOUND"),
        (json!({ "userId": viewer, "roleId": nobody }), "NOT_FOUND"),
        (json!({ "userId": viewer, "template": "VIEWER", "within": nobody }), "NOT_FOUND"),
    ] {
        let refused = stage.run(&stage.admin, ASSIGN, input.clone()).await;
        assert_eq!(code(&refused), expected, "{input}: {refused}");
    }
    assert_eq!(stage.accounts.count("SELECT count(*) FROM accounts.role_assignments").await, 0);
}

#[tokio::test]
async fn what_is_withheld_wins_and_owners_are_narrowed_by_owners_alone() {
    let stage = Stage::new().await;
    let read = json!({ "userId": stage.viewer.id, "effect": "DENY", "permission": "entity:read", "resource": ENTITY });
    let grant = stage.grant(&stage.admin, read).await;
    let allow = json!({ "userId": stage.viewer.id, "effect": "ALLOW", "permission": "entity:read", "resource": ENTITY });
    stage.grant(&stage.admin, allow).await;
    let vera = stage.again(&stage.viewer).await;
    assert!(may(&vera.caller, &Permission::ENTITY_READ), "in the organization nothing has changed");
    let held = stage.held(&vera, None).await;
    let entity: Resource = ENTITY.parse().unwrap();
    assert_eq!(held.rights.on(&Permission::ENTITY_READ, &entity), Some(Effect::Deny));
    // Whoever has it withheld cannot take that back.
    let role = stage.role("Keepers", &["access:manage"]).await;
    stage.done(&stage.owner, ASSIGN, json!({ "userId": vera.id, "roleId": role })).await;
    let vera = stage.again(&vera).await;
    let vera = Person { caller: Caller { rights: held.rights, ..vera.caller.clone() }, ..vera };
    assert_eq!(code(&stage.run(&vera, REVOKE, json!({ "id": grant })).await), "FORBIDDEN");
    stage.done(&stage.admin, REVOKE, json!({ "id": grant })).await;
    assert_eq!(
        stage.held(&vera, None).await.rights.on(&Permission::ENTITY_READ, &entity),
        Some(Effect::Allow)
    );

    let ada =
        |permission: &str| json!({ "userId": stage.owner.id, "effect": "DENY", "permission": permission });
    let refused = stage.run(&stage.admin, GRANT, ada("entity:read")).await;
    assert_eq!(message(&refused), "only an owner may withhold something from an owner");
    for permission in ["entity:read", "member:manage", "access:manage"] {
        stage.grant(&stage.owner, ada(permission)).await;
    }
    let ada = stage.again(&stage.owner).await;
    assert!(!may(&ada.caller, &Permission::ENTITY_READ));
    assert!(may(&ada.caller, &Permission::MEMBER_MANAGE) && may(&ada.caller, &Permission::ACCESS_MANAGE));
}

#[tokio::test]
async fn grants_are_checked_before_they_are_given() {
    let stage = Stage::new().await;
    let (viewer, admin) = (&stage.viewer.id, &stage.admin);
    let key = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id } } }";
    let made = stage.done(admin, key, json!({ "name": "Sync", "scopes": ["entity:read"] })).await;
    let key = text(&made["createApiKey"]["apiKey"]["id"]);
    let allow = |permission: &str| json!({ "userId": viewer, "effect": "ALLOW", "permission": permission });
    let with = |mut input: Value, field: &str, value: Value| {
        input[field] = value;
        input
    };
    let program = json!({ "machineId": key, "effect": "ALLOW", "permission": "entity:read" });
    for (input, expected) in [
        (allow("organization:manage"), "FORBIDDEN"),
        (allow("thing:read"), "BAD_USER_INPUT"),
        (with(allow("entity:read"), "resource", json!("nonsense")), "BAD_USER_INPUT"),
        (with(allow("webhook:read"), "resource", json!(ENTITY)), "BAD_USER_INPUT"),
        (with(allow("entity:read"), "expiresAt", json!("2020-01-01T00:00:00Z")), "BAD_USER_INPUT"),
        (with(allow("entity:read"), "unitId", json!(Uuid::nil())), "BAD_USER_INPUT"),
        (with(allow("access:read"), "resource", json!(format!("unit:{}", Uuid::nil()))), "NOT_FOUND"),
        (program.clone(), "BAD_USER_INPUT"),
    ] {
        let refused = stage.run(admin, GRANT, input.clone()).await;
        assert_eq!(code(&refused), expected, "{input}: {refused}");
    }
    assert_eq!(code(&stage.run(&stage.viewer, GRANT, allow("entity:read")).await), "FORBIDDEN");
    // A program may more on one thing, as far as whoever answers for it may.
    for permission in ["entity:write", "entity:delete"] {
        let more =
            json!({ "machineId": key, "effect": "ALLOW", "permission": permission, "resource": ENTITY });
        stage.grant(admin, more).await;
    }
    let deny = json!({ "userId": admin.id, "effect": "DENY", "permission": "entity:delete" });
    stage.grant(&stage.owner, deny).await;
    let its = stage.held(admin, Some((key.parse().unwrap(), &["entity:read", "webhook:read"]))).await;
    assert_eq!(its.scopes.to_scope(), "entity:read webhook:read");
    let entity: Resource = ENTITY.parse().unwrap();
    assert_eq!(its.rights.on(&Permission::ENTITY_WRITE, &entity), Some(Effect::Allow));
    assert_eq!(its.rights.on(&Permission::ENTITY_DELETE, &entity), None);
}

#[tokio::test]
async fn what_has_ended_is_of_no_effect_and_may_be_given_anew() {
    let stage = Stage::new().await;
    let end = stage.accounts.store.clock().now() + chrono::TimeDelta::minutes(5);
    let input = json!({ "userId": stage.viewer.id, "effect": "ALLOW", "permission": "entity:write", "expiresAt": end });
    stage.grant(&stage.admin, input.clone()).await;
    assert!(may(&stage.again(&stage.viewer).await.caller, &Permission::ENTITY_WRITE));
    stage.accounts.pass(301);
    assert!(!may(&stage.again(&stage.viewer).await.caller, &Permission::ENTITY_WRITE));
    let again = json!({ "userId": stage.viewer.id, "effect": "ALLOW", "permission": "entity:write" });
    stage.grant(&stage.admin, again).await;
    assert!(may(&stage.again(&stage.viewer).await.caller, &Permission::ENTITY_WRITE));
}

#[tokio::test]
async fn nobody_gets_more_rights_on_single_things_than_travel() {
    let stage = Stage::new().await;
    let (org, viewer) = (stage.owner.caller.org.unwrap(), stage.viewer.id);
    let most = ResourceRights::MAX;
    stage
        .sql(format!(
            "INSERT INTO accounts.grants (org_id, id, principal_kind, principal, effect, permission, resource, by_owner, created_at)
             SELECT '{org}', gen_random_uuid(), 'user', '{viewer}', 'allow', 'entity:write', 'entity:' || gen_random_uuid(), true, now()
               FROM generate_series(1, {most}) n"
        ))
        .await;
    assert_eq!(stage.held(&stage.viewer, None).await.rights.iter().count(), most);
    let more =
        json!({ "userId": viewer, "effect": "ALLOW", "permission": "entity:write", "resource": ENTITY });
    let refused = stage.run(&stage.admin, GRANT, more).await;
    assert_eq!(
        (code(&refused), stage.held(&stage.viewer, None).await.rights.iter().count()),
        ("CONFLICT", most)
    );
}

#[tokio::test]
async fn access_is_explained_by_role_grant_and_path() {
    let stage = Stage::new().await;
    let north = stage.unit("north", None).await;
    let team = stage.unit("team", Some(&north)).await;
    stage.join(&team, &stage.viewer).await;
    let role = stage.role("Wardens", &["access:manage", "entity:write"]).await;
    let wardens = json!({ "unitId": north, "roleId": role, "within": north });
    stage.done(&stage.owner, ASSIGN, wardens).await;
    let deny = json!({ "userId": stage.viewer.id, "effect": "DENY", "permission": "entity:read", "resource": ENTITY });
    let deny = stage.grant(&stage.owner, deny).await;

    let about = json!({ "userId": stage.viewer.id, "permission": "access:manage", "unitId": team });
    let why = stage.explain(&stage.admin, about.clone()).await;
    assert_eq!((&why["allowed"], &why["effect"]), (&json!(true), &json!("ALLOW")));
    let expected = json!([{
        "source": "ROLE_ASSIGNMENT", "effect": "ALLOW", "counts": true, "ofMaker": false, "template": null,
        "roleName": "Wardens", "grantId": null, "through": [{ "name": "team" }, { "name": "north" }],
        "path": [{ "name": "north" }, { "name": "team" }], "resource": null,
    }]);
    assert_eq!(why["reasons"], expected);

    // One's own access anybody may have explained, and that of nobody else.
    let own = json!({ "permission": "entity:read", "resource": ENTITY });
    let why = stage.explain(&stage.viewer, own).await;
    assert_eq!((&why["allowed"], &why["effect"]), (&json!(false), &json!("DENY")));
    let sources: Vec<_> = why["reasons"].as_array().unwrap().iter().map(|reason| &reason["source"]).collect();
    assert_eq!(sources, ["MEMBERSHIP_ROLE", "GRANT"]);
    assert_eq!(why["reasons"][1]["grantId"], json!(deny));
    let others = json!({ "userId": stage.admin.id, "permission": "entity:read" });
    assert_eq!(code(&stage.accounts.run(&stage.viewer.caller, EXPLAIN, others).await), "FORBIDDEN");
    let nothing = stage.explain(&stage.viewer, json!({ "permission": "webhook:manage" })).await;
    assert_eq!(
        (&nothing["allowed"], &nothing["effect"], &nothing["reasons"]),
        (&json!(false), &Value::Null, &json!([]))
    );
    let (_, other) = stage.accounts.found(&stage.accounts.register("Otto").await, "other").await;
    assert_eq!(code(&stage.accounts.run(&other.caller, EXPLAIN, about).await), "NOT_FOUND");
    let blind = without(&stage.admin.caller, &Permission::ACCESS_READ);
    let grants = stage
        .accounts
        .run(&blind, "{ grants { totalCount } roleAssignments { totalCount } }", json!({}))
        .await;
    assert_eq!(code(&grants), "FORBIDDEN");
}

#[tokio::test]
async fn permissions_are_listed_with_what_they_are_for() {
    let stage = Stage::new().await;
    let all = "{ permissions { name description roles } }";
    let listed = stage.accounts.data(&stage.viewer.caller, all, json!({})).await;
    let listed = listed["permissions"].as_array().unwrap();
    assert_eq!(listed.len(), Permission::ALL.len());
    let read = listed.iter().find(|permission| permission["name"] == "access:read").unwrap();
    assert_eq!(read["roles"], json!(["OWNER", "ADMIN"]));
}
