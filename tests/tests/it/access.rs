//! Roles and grants, through the gateway: what they give and withhold, and within which time.

use std::time::{Duration, Instant};

use pulse_tests::{Answer, Person, Said, Stream, Tenant, TestPlatform, Transport};
use serde_json::{Value, json};

const READ: &str = "{ entityTypes { totalCount } }";
const WRITE: &str =
    "mutation { createEntityType(input: { name: \"made-by-a-role\" }) { entityType { id } } }";
const CHANGES: &str = "subscription Follow($after: String) { entityChanged(after: $after) { kind cursor } }";
const EXPLAIN: &str = "query ($permission: String!, $resource: String) {
    explainAccess(permission: $permission, resource: $resource) { allowed effect reasons { source roleName grantId } } }";

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        let create = "mutation { createEntityType(input: { name: \"package\" }) { __typename } }";
        platform.data(&alpha.owner.token, create, json!({})).await;
        Self { platform, alpha }
    }

    async fn owner(&self, query: &str, input: Value) -> Value {
        self.platform.data(&self.alpha.owner.token, query, json!({ "input": input })).await
    }

    /// Makes a role that gives this, and gives it to the viewer; the id of the assignment.
    async fn give(&self, permission: &str) -> String {
        let create = "mutation ($input: CreateRoleInput!) { createRole(input: $input) { role { id } } }";
        let made = self.owner(create, json!({ "name": "Modellers", "permissions": [permission] })).await;
        let assign =
            "mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { id } } }";
        let input = json!({ "userId": self.alpha.viewer.id, "roleId": made["createRole"]["role"]["id"] });
        text(&self.owner(assign, input).await["assignRole"]["assignment"]["id"])
    }

    async fn grant(&self, input: Value) -> String {
        let grant = "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { grant { id } } }";
        text(&self.owner(grant, input).await["grantAccess"]["grant"]["id"])
    }

    /// The viewer with the next token.
    async fn viewer(&self) -> Person {
        let viewer = &self.alpha.viewer;
        let person = Person { id: viewer.id.clone(), email: viewer.email.clone(), token: String::new() };
        person.sign_in(&self.platform, "alpha").await
    }

    async fn stream(&self, person: &Person) -> Stream {
        let cursor = self.platform.data(&self.alpha.owner.token, "{ streamCursor }", json!({})).await;
        let variables = json!({ "after": cursor["streamCursor"] });
        self.package(&format!("p{}", self.platform.store.clock().now().timestamp_micros())).await;
        let mut stream = Transport::ALL[0].open(&self.platform, &person.token, CHANGES, variables).await;
        stream.data().await;
        stream
    }

    async fn package(&self, key: &str) {
        let upsert = "mutation ($items: [UpsertEntityItem!]!) { upsertEntities(input: { items: $items }) { created } }";
        let items = json!([{ "key": key, "type": "package", "name": key }]);
        self.platform.data(&self.alpha.owner.token, upsert, json!({ "items": items })).await;
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Asks until the answer is the expected one, for less than a second in all.
async fn until(platform: &TestPlatform, token: &str, query: &str, is_so: impl Fn(&Answer) -> bool) -> Answer {
    let began = Instant::now();
    loop {
        let answer = platform.graphql(Some(token), query, json!({})).await;
        if is_so(&answer) {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(1), "after a second: {answer:?}");
    }
}

fn is_refused(answer: &Answer) -> bool {
    answer.status.as_u16() == 401
}

/// Why the stream ends, once it does.
async fn ending(stream: &mut Stream) -> String {
    loop {
        match stream.next().await {
            Said::End(reason) => return reason,
            Said::Next(answer) if answer["errors"].is_null() => {}
            Said::Next(answer) => return answer["errors"].to_string(),
        }
    }
}

// Dropping the database waits for connections that the second process has just begun, which need a thread to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_gives_a_right_and_taking_it_away_is_known_to_two_processes_within_a_second() {
    let stage = Stage::new().await;
    let other = stage.platform.another().await;
    let refused = stage.platform.graphql(Some(&stage.alpha.viewer.token), WRITE, json!({})).await;
    assert_eq!(refused.code(), Some("FORBIDDEN"), "{refused:?}");
    let assignment = stage.give("entity-type:manage").await;
    let vera = stage.viewer().await;
    stage.platform.data(&vera.token, WRITE, json!({})).await;
    let why = json!({ "permission": "entity-type:manage" });
    let why = stage.platform.data(&vera.token, EXPLAIN, why).await;
    assert_eq!(why["explainAccess"]["reasons"][0]["roleName"], "Modellers", "{why}");
    for platform in [&stage.platform, &other] {
        platform.data(&vera.token, READ, json!({})).await;
    }
    let (mut theirs, mut admins) = (stage.stream(&vera).await, stage.stream(&stage.alpha.admin).await);
    let unassign = "mutation ($input: UnassignRoleInput!) { unassignRole(input: $input) { id } }";
    stage.owner(unassign, json!({ "id": assignment })).await;
    for platform in [&stage.platform, &other] {
        let answer = until(platform, &vera.token, READ, is_refused).await;
        assert!(answer.message().contains("refresh your token"), "{answer:?}");
    }
    let ended = ending(&mut theirs).await;
    assert!(ended.contains("your rights in this organization have changed"), "{ended}");
    stage.package("goes on").await;
    admins.data().await;
    // With the next token what is left is there.
    let vera = stage.viewer().await;
    assert_eq!(stage.platform.data(&vera.token, READ, json!({})).await["entityTypes"]["totalCount"], 2);
    let refused = stage.platform.graphql(Some(&vera.token), WRITE, json!({})).await;
    assert_eq!(refused.code(), Some("FORBIDDEN"), "{refused:?}");
}

// Dropping the database waits for connections that the second process has just begun, which need a thread to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_a_single_thing_holds_with_the_token_of_before() {
    let stage = Stage::new().await;
    let other = stage.platform.another().await;
    let member = &stage.alpha.member;
    let entity = "entity:01890a5d-ac96-774b-bcce-b302099a8057";
    for platform in [&stage.platform, &other] {
        platform.data(&member.token, READ, json!({})).await;
    }
    let mut stream = stage.stream(member).await;
    let deny =
        json!({ "userId": member.id, "effect": "DENY", "permission": "entity:read", "resource": entity });
    let deny = stage.grant(deny).await;
    let ended = ending(&mut stream).await;
    assert!(ended.contains("your rights in this organization have changed"), "{ended}");
    // The token says nothing of single things: it goes on, as somebody who has it withheld.
    let why = stage.platform.data(
        &member.token,
        EXPLAIN,
        json!({ "permission": "entity:read", "resource": entity }),
    );
    let why = why.await;
    let why = &why["explainAccess"];
    assert_eq!((&why["allowed"], &why["effect"]), (&json!(false), &json!("DENY")));
    assert_eq!(why["reasons"][1]["grantId"], json!(deny));
    for platform in [&stage.platform, &other] {
        platform.data(&member.token, READ, json!({})).await;
    }
    let revoke = "mutation ($input: RevokeAccessInput!) { revokeAccess(input: $input) { id } }";
    stage.owner(revoke, json!({ "id": deny })).await;
    let why = stage.platform.data(
        &member.token,
        EXPLAIN,
        json!({ "permission": "entity:read", "resource": entity }),
    );
    assert_eq!(why.await["explainAccess"]["allowed"], true);
}

// Dropping the database waits for connections that the second process has just begun, which need a thread to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_withheld_in_a_unit_is_withheld_in_one_that_is_made_in_it_later() {
    const UNITS: &str = "{ organization { units(first: 9) { nodes { name } } } }";
    let stage = Stage::new().await;
    let other = stage.platform.another().await;
    let member = &stage.alpha.member;
    let make = "mutation ($input: CreateUnitInput!) { createUnit(input: $input) { unit { id } } }";
    let unit = async |name: &str, parent: Value| {
        let input = json!({ "kind": "ORGANIZATION", "name": name, "parentId": parent });
        text(&stage.owner(make, input).await["createUnit"]["unit"]["id"])
    };
    let north = unit("north", Value::Null).await;
    unit("south", Value::Null).await;
    let resource = format!("unit:{north}");
    stage
        .grant(
            json!({ "userId": member.id, "effect": "DENY", "permission": "unit:read", "resource": resource }),
        )
        .await;
    let sees = |names: &'static str| {
        move |answer: &Answer| {
            let nodes = answer.json["data"]["organization"]["units"]["nodes"].as_array().cloned();
            let seen: Vec<_> = nodes.iter().flatten().filter_map(|node| node["name"].as_str()).collect();
            seen.join(" ") == names
        }
    };
    for platform in [&stage.platform, &other] {
        until(platform, &member.token, UNITS, sees("south")).await;
    }
    unit("inner", json!(north)).await;
    for platform in [&stage.platform, &other] {
        until(platform, &member.token, UNITS, sees("south")).await;
    }
    // What came after is seen, so what stands between is settled.
    unit("west", Value::Null).await;
    for platform in [&stage.platform, &other] {
        until(platform, &member.token, UNITS, sees("south west")).await;
    }
}
