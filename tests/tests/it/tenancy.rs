//! Nobody reaches what belongs to another tenant, or what the role does not allow.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use pulse_tests::{Answer, ApiKey, Fingerprint, Graph, Person, Tenant, TestPlatform};
use pulse_tokens::AccessClaims;
use pulse_types::{Role, SessionId};
use serde_json::{Value, json};

use crate::matrix::rows;
use crate::row::{Expect, Row};

/// Two tenants with the same keys in all subgraphs.
struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
    beta: Tenant,
    graph: Graph,
    key: ApiKey,
    account: String,
    unit: String,
    /// A viewer of the first tenant whom nothing else is about.
    guest: Person,
}

const ADD: &str = "mutation ($input: AddMemberInput!) { addMember(input: $input) { __typename } }";

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        let graph = Graph::fill(&platform, &alpha, 3, "alpha").await;
        let beta = Tenant::found(&platform, "beta").await;
        Graph::fill(&platform, &beta, 3, "beta").await;
        let reading = json!({ "name": "alpha's", "scopes": ["entity:read"] });
        let key = ApiKey::create(&platform, &alpha.owner.token, reading.clone()).await;
        let create = "mutation ($input: CreateServiceAccountInput!) {
            createServiceAccount(input: $input) { serviceAccount { id } } }";
        let data = platform.data(&alpha.owner.token, create, json!({ "input": reading })).await;
        let account = data["createServiceAccount"]["serviceAccount"]["id"].as_str().unwrap().to_owned();
        let create = "mutation { createUnit(input: { kind: TEAM, name: \"alpha's\" }) { unit { id } } }";
        let data = platform.data(&alpha.owner.token, create, json!({})).await;
        let unit = data["createUnit"]["unit"]["id"].as_str().unwrap().to_owned();
        let guest = Person::register(&platform, "guest@alpha.example").await;
        let input = json!({ "email": guest.email, "role": "VIEWER" });
        platform.data(&alpha.owner.token, ADD, json!({ "input": input })).await;
        Self { platform, alpha, beta, graph, key, account, unit, guest }
    }

    /// The document of a row, about the first tenant's things.
    fn document(&self, row: &Row) -> String {
        let now = self.platform.store.clock().now();
        let day = |days| (now + TimeDelta::days(days)).to_rfc3339();
        // The longer names first, where one begins another.
        let names = [
            ("@org", self.alpha.id.clone()),
            ("@slug", "alpha".to_owned()),
            ("@email", self.alpha.admin.email.clone()),
            ("@memberEmail", self.alpha.member.email.clone()),
            ("@member", self.alpha.member.id.clone()),
            ("@guest", self.guest.id.clone()),
            ("@entity", self.graph.entities[0].clone()),
            ("@relationship", self.graph.relationships[0].clone()),
            ("@collection", self.graph.collection.clone()),
            ("@webhook", self.graph.webhook.clone()),
            ("@schemaVersion", self.graph.schema_version.clone()),
            ("@client", self.graph.client.clone()),
            ("@composition", self.graph.composition.clone()),
            ("@job", self.graph.job.clone()),
            ("@schedule", self.graph.schedule.clone()),
            ("@letter", self.graph.letter.clone()),
            ("@apiKey", self.key.id.clone()),
            ("@account", self.account.clone()),
            ("@unit", self.unit.clone()),
            ("@from", day(-1)),
            ("@to", day(1)),
        ];
        names.iter().fold(row.document.to_owned(), |text, (name, value)| text.replace(name, value))
    }

    /// Returns once the credential is refused, which takes less than a second.
    async fn until_refused(&self, token: &str) {
        let began = Instant::now();
        while self.platform.graphql(Some(token), "{ __typename }", json!({})).await.status != 401 {
            assert!(began.elapsed() < Duration::from_secs(1), "it is still good");
        }
    }

    async fn ask(&self, row: &Row, token: Option<&str>) -> Answer {
        self.platform.graphql(token, &self.document(row), json!({})).await
    }
}

/// What is wrong with an answer, if anything.
fn complaint(row: &Row, answer: &Answer, expect: Expect) -> Option<String> {
    let value = &answer.json["data"][row.field];
    let is_right = match expect {
        Expect::Data => answer.json.get("errors").is_none() && !value.is_null(),
        Expect::Null => answer.json.get("errors").is_none() && value.is_null(),
        Expect::Code(code) => answer.code() == Some(code) && value.is_null(),
    };
    (!is_right).then(|| format!("{}: {}", row.field, answer.json))
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[tokio::test]
async fn the_owner_of_another_tenant_sees_and_changes_nothing_by_any_root_field() {
    let stage = Stage::new().await;
    let before = Fingerprint::of_tenant(&stage.platform, &stage.alpha).await;
    let filled: Vec<_> = before.filled().map(|table| table.split('.').next().unwrap()).collect();
    for schema in ["accounts", "analytics", "entities", "operations", "platform", "registry", "vectors"] {
        assert!(filled.contains(&schema), "nothing of {schema} is compared");
    }
    let mut complaints = Vec::new();
    for row in rows() {
        let answer = stage.ask(row, Some(&stage.beta.owner.token)).await;
        complaints.extend(complaint(row, &answer, row.outsider));
        // The first tenant's names, addresses, types and properties all say so.
        let data = answer.json["data"].to_string();
        if data.contains("alpha") || stage.graph.entities.iter().any(|id| data.contains(id)) {
            complaints.push(format!("{} tells: {data}", row.field));
        }
        let after = Fingerprint::of_tenant(&stage.platform, &stage.alpha).await;
        complaints
            .extend(before.differing(&after).map(|table| format!("{} changed {table} of others", row.field)));
    }
    assert_none(&complaints);
}

#[tokio::test]
async fn nobody_gets_anything_without_signing_in() {
    let stage = Stage::new().await;
    let before = Fingerprint::of_all(&stage.platform).await;
    let mut complaints = Vec::new();
    for row in rows() {
        complaints.extend(complaint(row, &stage.ask(row, None).await, row.anonymous));
    }
    assert_none(&complaints);
    assert_eq!(Fingerprint::of_all(&stage.platform).await, before);
}

/// Asks for every field, and sees that each answer is as expected, and that nothing changed where it is a refusal.
async fn expect_all(stage: &Stage, token: &str, expected: impl Fn(&Row) -> Expect) {
    let mut complaints = Vec::new();
    for row in rows() {
        let (before, expect) = (Fingerprint::of_all(&stage.platform).await, expected(row));
        complaints.extend(complaint(row, &stage.ask(row, Some(token)).await, expect));
        if matches!(expect, Expect::Code(_)) {
            let after = Fingerprint::of_all(&stage.platform).await;
            let changed = before.differing(&after);
            complaints.extend(changed.map(|table| format!("{} was refused and changed {table}", row.field)));
        }
    }
    assert_none(&complaints);
}

/// The same of somebody who is refused everything: the rows are compared once, at the end.
async fn expect_nothing(stage: &Stage, token: &str) {
    let before = Fingerprint::of_all(&stage.platform).await;
    let mut complaints = Vec::new();
    for row in rows() {
        complaints.extend(complaint(row, &stage.ask(row, Some(token)).await, row.over()));
    }
    assert_none(&complaints);
    assert_eq!(Fingerprint::of_all(&stage.platform).await, before);
}

#[tokio::test]
async fn a_viewer_reads_and_changes_nothing() {
    let stage = Stage::new().await;
    expect_all(&stage, &stage.alpha.viewer.token, |row| row.viewer).await;
}

#[tokio::test]
async fn a_member_works_with_data_and_manages_nothing() {
    let stage = Stage::new().await;
    // Not the one whom the rows are about: that one would leave.
    let second = Person::register(&stage.platform, "second@alpha.example").await;
    let input = json!({ "email": second.email, "role": "MEMBER" });
    stage.platform.data(&stage.alpha.owner.token, ADD, json!({ "input": input })).await;
    let second = second.sign_in(&stage.platform, "alpha").await;
    expect_all(&stage, &second.token, |row| row.member).await;
}

#[tokio::test]
async fn an_admin_does_all_but_what_owners_alone_do() {
    let stage = Stage::new().await;
    expect_all(&stage, &stage.alpha.admin.token, |row| row.admin).await;
}

#[tokio::test]
async fn an_api_key_without_the_scope_is_refused_all_that_needs_one() {
    let stage = Stage::new().await;
    let input = json!({ "name": "none of these", "scopes": ["audit:read"] });
    let key = ApiKey::create(&stage.platform, &stage.alpha.owner.token, input).await;
    expect_all(&stage, &key.secret, Row::scopeless).await;
}

#[tokio::test]
async fn an_expired_token_gets_nothing() {
    let stage = Stage::new().await;
    let now = stage.platform.store.clock().now();
    let long_ago = now - TimeDelta::hours(1);
    let rights = Role::Owner.permissions();
    let tenant = Some((stage.alpha.id.parse().unwrap(), &rights));
    let claims =
        AccessClaims::new(stage.alpha.owner.id.parse().unwrap(), SessionId::new(now), tenant, long_ago);
    let token = stage.platform.tokens.sign(&claims).unwrap().unwrap();
    expect_nothing(&stage, &token).await;
}

#[tokio::test]
async fn the_token_of_a_session_that_has_ended_gets_nothing() {
    let stage = Stage::new().await;
    let token = &stage.alpha.owner.token;
    stage.platform.data(token, "mutation { signOut { sessionId } }", json!({})).await;
    stage.until_refused(token).await;
    expect_nothing(&stage, token).await;
}

#[tokio::test]
async fn a_revoked_api_key_gets_nothing() {
    let stage = Stage::new().await;
    let input = json!({ "name": "all", "scopes": ["entity:read", "entity:write", "organization:read"] });
    let key = ApiKey::create(&stage.platform, &stage.alpha.owner.token, input).await;
    let used = stage.platform.data(&key.secret, "{ organization { slug } }", json!({})).await;
    assert_eq!(used["organization"]["slug"], "alpha");
    key.revoke(&stage.platform, &stage.alpha.owner.token).await;
    stage.until_refused(&key.secret).await;
    expect_nothing(&stage, &key.secret).await;
}

/// What the others are refused is refused for who they are, not for what they ask.
#[tokio::test]
async fn the_owner_may_do_all_of_it() {
    let stage = Stage::new().await;
    let mut complaints = Vec::new();
    for row in rows() {
        complaints.extend(complaint(row, &stage.ask(row, Some(&stage.alpha.owner.token)).await, row.owner));
    }
    assert_none(&complaints);
}

#[tokio::test]
async fn people_who_ask_at_the_same_time_never_get_each_others_answers() {
    let stage = Stage::new().await;
    let second = Person::register(&stage.platform, "second@alpha.example").await;
    let add = "mutation ($input: AddMemberInput!) { addMember(input: $input) { __typename } }";
    let input = json!({ "email": second.email, "role": "MEMBER" });
    stage.platform.data(&stage.alpha.owner.token, add, json!({ "input": input })).await;
    let second = second.sign_in(&stage.platform, "alpha").await;
    let people = [
        (&stage.alpha.member, "alpha"),
        (&second, "alpha"),
        (&stage.beta.member, "beta"),
        (&stage.beta.viewer, "beta"),
    ];
    let query = "{ me { id email } organization { slug } entity(key: \"p1\") { name } entities(orderBy: { field: KEY }, first: 2) { nodes { name } } \
                 collections { nodes { items(first: 1) { nodes { metadata } } } } events(first: 1) { nodes { name } } }";
    let expected = |(person, slug): (&Person, &str)| -> Value {
        json!({
            "me": { "id": person.id, "email": person.email },
            "organization": { "slug": slug },
            "entity": { "name": format!("{slug} 1") },
            "entities": { "nodes": [{ "name": format!("{slug} 0") }, { "name": format!("{slug} 1") }] },
            "collections": { "nodes": [{ "items": { "nodes": [{ "metadata": { "note": slug } }] } }] },
            "events": { "nodes": [{ "name": format!("{slug}.viewed") }] },
        })
    };
    let ask = async |n: usize| {
        let (person, slug) = people[n % people.len()];
        let data = stage.platform.data(&person.token, query, json!({})).await;
        assert_eq!(data, expected((person, slug)));
    };
    // More at once would wait for a connection longer than a request may.
    stream::iter(0..200 * people.len()).map(ask).buffer_unordered(32).collect::<()>().await;
}
