//! Privileged reads, through the gateway: who saw what of others stands in the audit before they see it, once a while.

use pulse_tests::{Tenant, TestPlatform};
use serde_json::json;

type Fact = (String, String, Option<String>, i32);

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        Self { platform, alpha }
    }

    async fn ask(&self, token: &str, query: &str) {
        self.platform.data(token, query, json!({})).await;
    }

    /// Who has read what of the tenant until now, as the audit has it.
    async fn facts(&self) -> Vec<Fact> {
        let sql = "SELECT action, actor::text, key::text, items FROM platform.audit
                    WHERE (action LIKE '%:read%' OR action LIKE '%:inventory%') AND address IS NOT NULL AND org_id = $1::uuid
                    ORDER BY action, key, actor";
        let mut connection = self.platform.database.connect().await.unwrap();
        sqlx::query_as(sql).bind(&self.alpha.id).fetch_all(&mut connection).await.unwrap()
    }
}

#[tokio::test]
async fn each_address_that_somebody_sees_of_others_is_a_fact_and_not_ones_own() {
    let stage = Stage::new().await;
    let admin = &stage.alpha.admin;
    for _ in 0..3 {
        stage
            .ask(&admin.token, "{ me { email } organizations { nodes { members { nodes { email } } } } }")
            .await;
    }
    let mut seen: Vec<_> = stage
        .alpha
        .people()
        .iter()
        .filter(|person| person.id != admin.id)
        .map(|person| ("user:read".to_owned(), admin.id.clone(), Some(person.id.clone()), 1))
        .collect();
    seen.sort();
    assert_eq!(stage.facts().await, seen);
}

#[tokio::test]
async fn names_alone_are_no_privileged_read_and_neither_is_what_is_refused() {
    let stage = Stage::new().await;
    stage
        .ask(&stage.alpha.viewer.token, "{ organizations { nodes { members { nodes { id name } } } } }")
        .await;
    let refused = stage
        .platform
        .graphql(Some(&stage.alpha.viewer.token), "{ apiKeys { totalCount nodes { id } } }", json!({}))
        .await;
    assert_eq!(refused.code(), Some("FORBIDDEN"));
    assert_eq!(stage.facts().await, []);
}

#[tokio::test]
async fn lists_of_keys_streams_issuers_and_the_audit_itself_are_facts_once_a_while() {
    let stage = Stage::new().await;
    let owner = &stage.alpha.owner;
    for _ in 0..2 {
        for query in [
            "{ apiKeys { nodes { id } } }",
            "{ serviceAccounts { nodes { id } } }",
            "{ identityProviders { id } }",
            "{ liveStreams { nodes { id } } }",
            "{ auditEvents(first: 1) { nodes { id } } }",
            "{ privacyInventory { table } }",
        ] {
            stage.ask(&owner.token, query).await;
        }
    }
    let facts = stage.facts().await;
    let actions: Vec<_> = facts.iter().map(|(action, ..)| action.as_str()).collect();
    let expected = [
        "api-key:read",
        "audit:read",
        "identity_provider:read",
        "privacy:inventory",
        "service-account:read",
        "stream:read",
    ];
    assert_eq!(actions, expected);
    assert!(facts.iter().all(|(_, actor, key, _)| *actor == owner.id && key.is_none()));
}

#[tokio::test]
async fn nothing_privileged_is_shown_while_the_audit_takes_no_facts() {
    let stage = Stage::new().await;
    let mut connection = stage.platform.database.connect().await.unwrap();
    sqlx::query("REVOKE INSERT ON platform.audit FROM pulse_app").execute(&mut connection).await.unwrap();
    let keys = "{ apiKeys { nodes { id } } }";
    let answer = stage.platform.graphql(Some(&stage.alpha.owner.token), keys, json!({})).await;
    assert_eq!((answer.code(), &answer.json["data"]), (Some("INTERNAL"), &json!(null)));
    // What is the caller's own is shown as ever.
    stage.ask(&stage.alpha.owner.token, "{ me { email } }").await;
}
