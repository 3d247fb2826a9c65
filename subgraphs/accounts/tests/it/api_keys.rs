use pulse_accounts::{MachineRefusal, Machines, VerifiedMachine};
use pulse_tokens::{MachineKind, MachineSecret};
use pulse_types::{Caller, MachineId, Permission, Role, Subject};
use serde_json::{Value, json};

use crate::harness::{Accounts, Person, without};

pub(crate) const CREATE: &str = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) {
    secret apiKey { id prefix scopes operations networks requestsPerMinute version makerId maker { name } } } }";
const UPDATE: &str = "mutation ($input: UpdateApiKeyInput!) { updateApiKey(input: $input) {
    apiKey { name scopes networks requestsPerMinute enabled expiresAt makerId version } } }";
const ROTATE: &str = "mutation ($input: RotateApiKeyInput!) { rotateApiKey(input: $input) {
    secret apiKey { version previousSecretUntil } } }";
const REVOKE: &str =
    "mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { apiKey { revokedAt version } } }";
const LIST: &str = "query ($first: Int, $after: String) { apiKeys(first: $first, after: $after) {
    totalCount nodes { name } pageInfo { hasNextPage endCursor } } }";
const ONE: &str = "query ($id: ID!) { apiKey(id: $id) { name revokedAt lastUsedAt } }";

/// Accounts with an owner, and what its gateways ask.
struct Stage {
    accounts: Accounts,
    owner: Person,
    machines: Machines,
}

/// A key that was made.
struct Key {
    id: String,
    secret: String,
}

impl Stage {
    async fn new() -> Self {
        let accounts = Accounts::new().await;
        let ada = accounts.register("Ada").await;
        let (_, owner) = accounts.found(&ada, "acme").await;
        let machines = Machines::new(accounts.store.clone());
        Self { accounts, owner, machines }
    }

    async fn create(&self, by: &Person, input: Value) -> Key {
        let data = self.accounts.data(&by.caller, CREATE, json!({ "input": input })).await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Key { id: text(&data["createApiKey"]["apiKey"]["id"]), secret: text(&data["createApiKey"]["secret"]) }
    }

    async fn run(&self, by: &Caller, mutation: &str, input: Value) -> Value {
        self.accounts.run(by, mutation, json!({ "input": input })).await
    }

    /// What a gateway learns of a secret.
    async fn verify(&self, secret: &str) -> Result<VerifiedMachine, MachineRefusal> {
        self.machines.verify(MachineSecret::parse(secret).unwrap().hash()).await.unwrap()
    }
}

fn code(response: &Value) -> &str {
    response["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
}

fn reading() -> Value {
    json!({ "name": "Sync", "scopes": ["entity:read"] })
}

#[tokio::test]
async fn a_key_is_shown_once_and_kept_as_a_hash() {
    let stage = Stage::new().await;
    let input = json!({
        "name": "Sync", "scopes": ["entity:write", "entity:read", "entity:read"], "operations": ["Sync"],
        "networks": ["192.0.2.9/24"], "requestsPerMinute": 60, "idempotencyKey": "once",
    });
    let first = stage.accounts.data(&stage.owner.caller, CREATE, json!({ "input": input })).await;
    let made = &first["createApiKey"];
    let secret = made["secret"].as_str().unwrap();
    let parsed = MachineSecret::parse(secret).unwrap();
    assert_eq!((parsed.kind, json!(parsed.machine)), (MachineKind::ApiKey, made["apiKey"]["id"].clone()));
    assert!(secret.starts_with(made["apiKey"]["prefix"].as_str().unwrap()));
    let expected = json!({
        "id": made["apiKey"]["id"], "prefix": made["apiKey"]["prefix"], "scopes": ["entity:read", "entity:write"],
        "operations": ["Sync"], "networks": ["192.0.2.0/24"], "requestsPerMinute": 60, "version": 1,
        "makerId": stage.owner.id, "maker": { "name": "Ada" },
    });
    assert_eq!(made["apiKey"], expected);
    let again = stage.accounts.data(&stage.owner.caller, CREATE, json!({ "input": input })).await;
    assert_eq!(again["createApiKey"], json!({ "secret": null, "apiKey": expected }));
    let kept =
        "SELECT count(*) FROM accounts.machine_secrets WHERE hash = sha256(convert_to($$SECRET$$, 'UTF8'))";
    let mut connection = stage.accounts.database.connect().await.unwrap();
    let kept = kept.replace("SECRET", secret);
    let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(kept)).fetch_one(&mut connection).await.unwrap();
    assert_eq!(count, 1);
    let facts = "SELECT count(*) FROM platform.audit WHERE action = 'api-key:create' AND subject = 'accounts.machine'";
    assert_eq!(stage.accounts.count(facts).await, 1);
}

#[tokio::test]
async fn nobody_makes_a_key_that_may_more_than_they_do() {
    let stage = Stage::new().await;
    let admin = stage.accounts.member(&stage.owner, "Bea", "ADMIN").await;
    let member = stage.accounts.member(&stage.owner, "Cid", "MEMBER").await;
    assert_eq!(code(&stage.run(&member.caller, CREATE, reading()).await), "FORBIDDEN");
    let wide = json!({ "name": "X", "scopes": ["entity:read", "organization:manage", "made:up"] });
    let refused = stage.run(&admin.caller, CREATE, wide).await;
    let text = "you may not give what you do not have: made:up, organization:manage";
    assert_eq!((code(&refused), &refused["errors"][0]["message"]), ("FORBIDDEN", &json!(text)));
    assert_eq!(stage.accounts.count("SELECT count(*) FROM accounts.machines").await, 0);

    // Nor does anybody get at more by changing or rotating what somebody else has made; ending it is for all who manage keys.
    let key = stage.create(&stage.owner, json!({ "name": "X", "scopes": ["organization:manage"] })).await;
    let limits = json!({ "id": key.id, "networks": [] });
    assert_eq!(stage.run(&admin.caller, UPDATE, limits).await.get("errors"), None, "nothing changes");
    for (mutation, input) in [
        (UPDATE, json!({ "id": key.id, "networks": ["192.0.2.1"] })),
        (UPDATE, json!({ "id": key.id, "takeOver": true })),
        (ROTATE, json!({ "id": key.id })),
    ] {
        assert_eq!(code(&stage.run(&admin.caller, mutation, input).await), "FORBIDDEN", "{mutation}");
    }
    let off =
        stage.run(&admin.caller, UPDATE, json!({ "id": key.id, "enabled": false, "name": "Off" })).await;
    assert_eq!(off["data"]["updateApiKey"]["apiKey"]["enabled"], false, "{off}");
    assert_eq!(
        code(&stage.run(&admin.caller, UPDATE, json!({ "id": key.id, "enabled": true })).await),
        "FORBIDDEN"
    );
    assert_eq!(stage.run(&admin.caller, REVOKE, json!({ "id": key.id })).await.get("errors"), None);
}

#[tokio::test]
async fn a_key_may_what_its_maker_still_may_and_ends_with_the_membership() {
    let stage = Stage::new().await;
    let Stage { accounts, owner, .. } = &stage;
    let admin = accounts.member(owner, "Bea", "ADMIN").await;
    let key =
        stage.create(&admin, json!({ "name": "X", "scopes": ["entity:write", "webhook:manage"] })).await;
    let names = |verified: VerifiedMachine| verified.permissions.to_scope();
    assert_eq!(stage.verify(&key.secret).await.map(names), Ok("entity:write webhook:manage".to_owned()));
    let role = "mutation ($id: ID!, $role: Role!) { changeMemberRole(input: { userId: $id, role: $role }) { __typename } }";
    accounts.data(&owner.caller, role, json!({ "id": admin.id, "role": "MEMBER" })).await;
    assert_eq!(stage.verify(&key.secret).await.map(names), Ok("entity:write".to_owned()));
    accounts.data(&owner.caller, role, json!({ "id": admin.id, "role": "VIEWER" })).await;
    assert_eq!(stage.verify(&key.secret).await.map(names), Ok(String::new()));
    let remove = "mutation ($id: ID!) { removeMember(input: { userId: $id }) { userId } }";
    accounts.data(&owner.caller, remove, json!({ "id": admin.id })).await;
    assert_eq!(stage.verify(&key.secret).await, Err(MachineRefusal::Orphaned));
    let taken = stage.run(&owner.caller, UPDATE, json!({ "id": key.id, "takeOver": true })).await;
    assert_eq!(taken["data"]["updateApiKey"]["apiKey"]["makerId"], json!(owner.id), "{taken}");
    assert_eq!(stage.verify(&key.secret).await.map(names), Ok("entity:write webhook:manage".to_owned()));
}

#[tokio::test]
async fn a_rotated_key_has_two_secrets_for_a_while_and_one_after() {
    let stage = Stage::new().await;
    let key = stage.create(&stage.owner, reading()).await;
    let rotate = async |overlap: i32| {
        let input = json!({ "id": key.id, "overlapSeconds": overlap });
        stage.run(&stage.owner.caller, ROTATE, input).await["data"]["rotateApiKey"].take()
    };
    let rotated = rotate(600).await;
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_eq!(rotated["apiKey"]["version"], 2);
    assert!(rotated["apiKey"]["previousSecretUntil"].is_string());
    let until = stage.verify(&key.secret).await.unwrap().expires_at.unwrap();
    assert_eq!((until - stage.accounts.store.clock().now()).num_seconds(), 600);
    assert_eq!(stage.verify(&second).await.unwrap().expires_at, None);
    stage.accounts.pass(600);
    assert_eq!(stage.verify(&key.secret).await, Err(MachineRefusal::Unknown));
    assert!(stage.verify(&second).await.is_ok());

    // Of more than two, the newest two; and none but the newest when there is no overlap.
    let third = rotate(600).await["secret"].as_str().unwrap().to_owned();
    let fourth = rotate(600).await["secret"].as_str().unwrap().to_owned();
    assert_eq!(stage.verify(&second).await, Err(MachineRefusal::Unknown));
    assert!(stage.verify(&third).await.is_ok() && stage.verify(&fourth).await.is_ok());
    let fifth = rotate(0).await["secret"].as_str().unwrap().to_owned();
    assert_eq!(stage.verify(&fourth).await, Err(MachineRefusal::Unknown));
    assert!(stage.verify(&fifth).await.is_ok());
    for overlap in [-1, 30 * 24 * 3600 + 1] {
        let input = json!({ "id": key.id, "overlapSeconds": overlap });
        assert_eq!(code(&stage.run(&stage.owner.caller, ROTATE, input).await), "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn expired_switched_off_and_revoked_keys_are_refused() {
    let stage = Stage::new().await;
    let end = stage.accounts.store.clock().now() + chrono::TimeDelta::minutes(1);
    let mut input = reading();
    input["expiresAt"] = json!(end);
    let key = stage.create(&stage.owner, input).await;
    assert_eq!(stage.verify(&key.secret).await.unwrap().expires_at, Some(end));
    stage.accounts.pass(60);
    assert_eq!(stage.verify(&key.secret).await, Err(MachineRefusal::Expired));
    let past = stage.run(&stage.owner.caller, UPDATE, json!({ "id": key.id, "expiresAt": end })).await;
    assert_eq!(code(&past), "BAD_USER_INPUT");
    let update = async |input: Value| {
        let mut input = input;
        input["id"] = json!(key.id);
        let response = stage.run(&stage.owner.caller, UPDATE, input).await;
        assert_eq!(response.get("errors"), None, "{response}");
    };
    update(json!({ "expiresAt": null })).await;
    assert!(stage.verify(&key.secret).await.is_ok());
    update(json!({ "enabled": false })).await;
    assert_eq!(stage.verify(&key.secret).await, Err(MachineRefusal::Disabled));
    update(json!({ "enabled": true })).await;
    assert!(stage.verify(&key.secret).await.is_ok());
    let revoked = stage.run(&stage.owner.caller, REVOKE, json!({ "id": key.id })).await;
    assert!(revoked["data"]["revokeApiKey"]["apiKey"]["revokedAt"].is_string(), "{revoked}");
    assert_eq!(stage.verify(&key.secret).await, Err(MachineRefusal::Unknown));
    assert_eq!(
        stage.run(&stage.owner.caller, REVOKE, json!({ "id": key.id })).await,
        revoked,
        "twice is no error"
    );
    for (mutation, input) in
        [(UPDATE, json!({ "id": key.id, "name": "X" })), (ROTATE, json!({ "id": key.id }))]
    {
        assert_eq!(code(&stage.run(&stage.owner.caller, mutation, input).await), "CONFLICT");
    }
    let kept = "SELECT count(*) FROM accounts.history WHERE subject = 'accounts.machine'";
    assert_eq!(stage.accounts.count(kept).await, 4);
    assert_eq!(stage.accounts.count("SELECT count(*) FROM accounts.machine_secrets").await, 0);
}

#[tokio::test]
async fn keys_are_listed_to_those_who_may_see_them_and_to_no_other_tenant() {
    let stage = Stage::new().await;
    let Stage { accounts, owner, .. } = &stage;
    for name in ["One", "Two", "Three"] {
        accounts.pass(1);
        stage.create(owner, json!({ "name": name, "scopes": ["entity:read"] })).await;
    }
    accounts.pass(1);
    let gone = stage.create(owner, json!({ "name": "Gone", "scopes": ["entity:read"] })).await;
    stage.run(&owner.caller, REVOKE, json!({ "id": gone.id })).await;
    let first = accounts.data(&owner.caller, LIST, json!({ "first": 2 })).await;
    let list = &first["apiKeys"];
    assert_eq!(
        (&list["totalCount"], &list["nodes"]),
        (&json!(3), &json!([{ "name": "One" }, { "name": "Two" }]))
    );
    let after = list["pageInfo"]["endCursor"].clone();
    let rest = accounts.data(&owner.caller, LIST, json!({ "first": 2, "after": after })).await;
    assert_eq!(rest["apiKeys"]["nodes"], json!([{ "name": "Three" }]));
    let revoked = accounts.data(&owner.caller, ONE, json!({ "id": gone.id })).await;
    assert!(revoked["apiKey"]["revokedAt"].is_string());

    let viewer = accounts.member(owner, "Cid", "VIEWER").await;
    let blind = without(&owner.caller, &Permission::API_KEY_READ);
    for caller in [&viewer.caller, &blind] {
        assert_eq!(code(&accounts.run(caller, LIST, json!({})).await), "FORBIDDEN");
        assert_eq!(code(&accounts.run(caller, ONE, json!({ "id": gone.id })).await), "FORBIDDEN");
    }
    let eve = accounts.register("Eve").await;
    let (_, stranger) = accounts.found(&eve, "elsewhere").await;
    let nothing = accounts.data(&stranger.caller, LIST, json!({})).await;
    assert_eq!(nothing["apiKeys"]["totalCount"], 0);
    let nothing = accounts.data(&stranger.caller, ONE, json!({ "id": gone.id })).await;
    assert_eq!(nothing, json!({ "apiKey": null }));
    for (mutation, input) in [
        (UPDATE, json!({ "id": gone.id, "name": "Mine" })),
        (ROTATE, json!({ "id": gone.id })),
        (REVOKE, json!({ "id": gone.id })),
    ] {
        assert_eq!(code(&stage.run(&stranger.caller, mutation, input).await), "NOT_FOUND");
    }
}

#[tokio::test]
async fn what_a_key_cannot_be_is_said() {
    let stage = Stage::new().await;
    let now = stage.accounts.store.clock().now();
    let with = |field: &str, value: Value| {
        let mut input = reading();
        input[field] = value;
        input
    };
    let many: Vec<_> = (0..=100).map(|n| format!("10.0.0.{n}")).collect();
    for (field, value, path) in [
        ("name", json!(""), "input.name"),
        ("scopes", json!([]), "input.scopes"),
        ("operations", json!(["{ me }"]), "input.operations"),
        ("networks", json!(["example.com"]), "input.networks"),
        ("networks", json!(many), "input.networks"),
        ("requestsPerMinute", json!(0), "input.requestsPerMinute"),
        ("costPerMinute", json!(-1), "input.costPerMinute"),
        ("expiresAt", json!(now), "input.expiresAt"),
        ("idempotencyKey", json!(""), "input.idempotencyKey"),
    ] {
        let refused = stage.run(&stage.owner.caller, CREATE, with(field, value)).await;
        let extensions = &refused["errors"][0]["extensions"];
        assert_eq!(extensions, &json!({ "code": "BAD_USER_INPUT", "field": path }), "{refused}");
    }
    let key = stage.create(&stage.owner, reading()).await;
    let input = json!({ "id": key.id, "name": "X", "expectedVersion": 2 });
    assert_eq!(code(&stage.run(&stage.owner.caller, UPDATE, input).await), "CONFLICT");
}

#[tokio::test]
async fn a_program_is_nobody_in_person() {
    let stage = Stage::new().await;
    let machine = Caller {
        subject: Subject::Machine {
            id: MachineId::new(stage.accounts.store.clock().now()),
            maker: stage.owner.id,
        },
        session: None,
        permissions: Role::Owner.permissions(),
        ..stage.owner.caller.clone()
    };
    let me = stage.accounts.data(&machine, "{ me { id } organization { slug viewerRole } }", json!({})).await;
    assert_eq!(me, json!({ "me": null, "organization": { "slug": "acme", "viewerRole": null } }));
    for personal in [
        "mutation { updateMe(input: { name: \"X\" }) { user { id } } }",
        "mutation { signOut { sessionId } }",
        "mutation { endOtherSessions { sessionIds } }",
        "mutation { createOrganization(input: { slug: \"mine\", name: \"X\" }) { organization { id } } }",
        "mutation { createApiKey(input: { name: \"X\", scopes: [\"entity:read\"] }) { secret } }",
        "{ organizations { totalCount } }",
    ] {
        let refused = stage.accounts.run(&machine, personal, json!({})).await;
        assert_eq!(code(&refused), "FORBIDDEN", "{personal}");
        let text = refused["errors"][0]["message"].as_str().unwrap();
        assert!(text.starts_with("this belongs to a person"), "{text}");
    }
    // What it does is written down under its own id.
    let rename = "mutation { updateOrganization(input: { name: \"Renamed\" }) { organization { name } } }";
    stage.accounts.data(&machine, rename, json!({})).await;
    let mut connection = stage.accounts.database.connect().await.unwrap();
    let actor = "SELECT actor FROM platform.audit WHERE action = 'organization:update'";
    let actor: uuid::Uuid = sqlx::query_scalar(actor).fetch_one(&mut connection).await.unwrap();
    assert_eq!(Some(actor), machine.machine().map(MachineId::uuid));
}

#[tokio::test]
async fn that_a_key_is_used_is_written_down_without_a_statement_for_each_request() {
    let stage = Stage::new().await;
    let key = stage.create(&stage.owner, reading()).await;
    assert_eq!(
        stage.accounts.data(&stage.owner.caller, ONE, json!({ "id": key.id })).await["apiKey"]["lastUsedAt"],
        Value::Null
    );
    stage.accounts.pass(5);
    stage.verify(&key.secret).await.unwrap();
    let used = "SELECT count(*) FROM accounts.machines WHERE last_used_at IS NOT NULL";
    while stage.accounts.count(used).await == 0 {
        tokio::task::yield_now().await;
    }
    let before = stage.accounts.store.statistics().statements();
    for _ in 0..20 {
        stage.verify(&key.secret).await.unwrap();
    }
    // This store keeps nothing: else the rules and the maker were read once.
    assert_eq!(
        stage.accounts.store.statistics().statements() - before,
        3 * 20,
        "to find it, the rules and its maker each time, none to say that it was used"
    );
}
