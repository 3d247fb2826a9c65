//! Service accounts, through the gateway: from the secret to the token, and until it is refused.

use std::time::{Duration, Instant};

use pulse_tests::{Answer, Tenant, TestPlatform};
use serde_json::{Value, json};

const READ: &str = "{ entityTypes { totalCount } }";

struct Stage {
    platform: TestPlatform,
    alpha: Tenant,
    id: String,
    secret: String,
}

impl Stage {
    async fn new() -> Self {
        let platform = TestPlatform::start().await;
        let alpha = Tenant::found(&platform, "alpha").await;
        let create = "mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) {
            clientSecret serviceAccount { id } } }";
        let input = json!({ "name": "Robot", "scopes": ["entity:read", "entity-type:manage"] });
        let data = platform.data(&alpha.owner.token, create, json!({ "input": input })).await;
        let made = &data["createServiceAccount"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, secret) = (text(&made["serviceAccount"]["id"]), text(&made["clientSecret"]));
        Self { platform, alpha, id, secret }
    }

    async fn ask_for_token(&self, scope: &str) -> Answer {
        let body = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope={scope}",
            self.id, self.secret
        );
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.platform.post_to("/oauth/token", &form, body).await
    }

    async fn token(&self) -> String {
        let answer = self.ask_for_token("").await;
        answer.json["access_token"].as_str().unwrap_or_else(|| panic!("{answer:?}")).to_owned()
    }

    async fn change(&self, mutation: &str) {
        self.platform.data(&self.alpha.owner.token, mutation, json!({ "id": self.id })).await;
    }
}

/// Waits, for less than a second, until a token is refused in each process.
async fn until_refused(platforms: &[&TestPlatform], token: &str) {
    let began = Instant::now();
    for platform in platforms {
        while platform.graphql(Some(token), READ, json!({})).await.status != 401 {
            assert!(began.elapsed() < Duration::from_secs(1), "it is still good");
        }
    }
}

// Dropping the database waits for connections that the second process has just begun, which need a thread to end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_end_within_a_second_in_two_processes_when_their_account_does() {
    let stage = Stage::new().await;
    let other = stage.platform.another().await;
    let platforms = [&stage.platform, &other];
    let token = stage.token().await;
    for platform in platforms {
        assert_eq!(platform.data(&token, READ, json!({})).await["entityTypes"]["totalCount"], 0);
    }
    stage
        .change(
            "mutation ($id: ID!) { updateServiceAccount(input: { id: $id, enabled: false }) { __typename } }",
        )
        .await;
    until_refused(&platforms, &token).await;
    assert_eq!(stage.ask_for_token("").await.json["error"], "invalid_client");

    // Switched on again, what was refused stays refused, and a new token is good at once.
    stage
        .change(
            "mutation ($id: ID!) { updateServiceAccount(input: { id: $id, enabled: true }) { __typename } }",
        )
        .await;
    let second = stage.token().await;
    for platform in platforms {
        platform.data(&second, READ, json!({})).await;
        assert_eq!(platform.graphql(Some(&token), READ, json!({})).await.status, 401);
    }
    stage.change("mutation ($id: ID!) { deleteServiceAccount(input: { id: $id }) { id } }").await;
    until_refused(&platforms, &second).await;
}

#[tokio::test]
async fn a_token_may_what_its_scope_says() {
    let stage = Stage::new().await;
    let narrow = stage.ask_for_token("entity:read").await;
    let token = narrow.json["access_token"].as_str().unwrap();
    stage.platform.data(token, READ, json!({})).await;
    let write = "mutation { createEntityType(input: { name: \"new\" }) { entityType { id } } }";
    assert_eq!(stage.platform.graphql(Some(token), write, json!({})).await.code(), Some("FORBIDDEN"));
    stage.platform.data(&stage.token().await, write, json!({})).await;
    let wide = stage.ask_for_token("entity:delete").await;
    assert_eq!((wide.status.as_u16(), &wide.json["error"]), (400, &json!("invalid_scope")));
    assert_eq!(wide.headers["cache-control"], "no-store");
    let me = stage.platform.data(token, "{ me { id } }", json!({})).await;
    assert_eq!(me, json!({ "me": null }));
}

#[tokio::test]
async fn wrong_secrets_get_slower_answers_and_the_right_one_never_waits() {
    let mut stage = Stage::new().await;
    let rotate = "mutation ($id: ID!) { rotateServiceAccountSecret(input: { id: $id, overlapSeconds: 0 }) { clientSecret } }";
    let data = stage.platform.data(&stage.alpha.owner.token, rotate, json!({ "id": stage.id })).await;
    let right = data["rotateServiceAccountSecret"]["clientSecret"].as_str().unwrap().to_owned();
    for _ in 0..6 {
        let answer = stage.ask_for_token("").await;
        assert_eq!((answer.status.as_u16(), &answer.json["error"]), (401, &json!("invalid_client")));
    }
    let answer = stage.ask_for_token("").await;
    assert_eq!((answer.status.as_u16(), &answer.json["error"]), (429, &json!("slow_down")));
    assert_eq!(answer.headers["retry-after"], "1");
    stage.secret = right;
    stage.token().await;
    // Another client at the same place is not held up by it.
    let create = "mutation { createServiceAccount(input: { name: \"Other\", scopes: [\"entity:read\"] }) {
        clientSecret serviceAccount { id } } }";
    let made =
        stage.platform.data(&stage.alpha.owner.token, create, json!({})).await["createServiceAccount"].take();
    stage.id = made["serviceAccount"]["id"].as_str().unwrap().to_owned();
    stage.secret = made["clientSecret"].as_str().unwrap().to_owned();
    stage.token().await;
}
