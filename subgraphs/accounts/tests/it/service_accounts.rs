use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pulse_types::{RequestId, Subject};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::harness::{Accounts, Person};

const CREATE: &str = "mutation ($input: CreateServiceAccountInput!) { createServiceAccount(input: $input) {
    clientSecret serviceAccount { id name scopes secretPrefix version } } }";
const UPDATE: &str = "mutation ($input: UpdateServiceAccountInput!) { updateServiceAccount(input: $input) {
    serviceAccount { enabled scopes version } } }";
const ROTATE: &str =
    "mutation ($input: RotateServiceAccountSecretInput!) { rotateServiceAccountSecret(input: $input) {
    clientSecret } }";
const DELETE: &str =
    "mutation ($input: DeleteServiceAccountInput!) { deleteServiceAccount(input: $input) { id } }";

/// Accounts with an owner and a service account that may read and write entities.
struct Stage {
    accounts: Accounts,
    owner: Person,
    id: String,
    secret: String,
}

/// What the token endpoint has answered.
struct Answer {
    status: StatusCode,
    challenge: Option<String>,
    cache_control: Option<String>,
    json: Value,
}

impl Stage {
    async fn new() -> Self {
        let accounts = Accounts::new().await;
        let ada = accounts.register("Ada").await;
        let (_, owner) = accounts.found(&ada, "acme").await;
        let input = json!({ "name": "Robot", "scopes": ["entity:read", "entity:write"] });
        let data = accounts.data(&owner.caller, CREATE, json!({ "input": input })).await;
        let made = &data["createServiceAccount"];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (id, secret) = (text(&made["serviceAccount"]["id"]), text(&made["clientSecret"]));
        Self { accounts, owner, id, secret }
    }

    async fn post(&self, basic: Option<(&str, &str)>, body: &str) -> Answer {
        let router: Router = self.accounts.subgraph.routes.clone();
        let mut request =
            Request::post("/oauth/token").header("content-type", "application/x-www-form-urlencoded");
        if let Some((id, secret)) = basic {
            let text = STANDARD.encode(format!("{id}:{secret}"));
            request = request.header("authorization", format!("Basic {text}"));
        }
        let response = router.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (challenge, cache_control) = (header("www-authenticate"), header("cache-control"));
        let status = response.status();
        let body = to_bytes(response.into_body(), 64 * 1024).await.unwrap();
        Answer { status, challenge, cache_control, json: serde_json::from_slice(&body).unwrap() }
    }

    /// What the account gets with this secret.
    async fn token(&self, secret: &str, scope: &str) -> Answer {
        let body = format!("grant_type=client_credentials&scope={scope}");
        self.post(Some((&self.id, secret)), &body).await
    }

    async fn run(&self, mutation: &str, mut input: Value) -> Value {
        input["id"] = json!(self.id);
        self.accounts.data(&self.owner.caller, mutation, json!({ "input": input })).await
    }
}

#[tokio::test]
async fn a_service_account_gets_tokens_for_a_quarter_of_an_hour() {
    let stage = Stage::new().await;
    let answer = stage.token(&stage.secret, "").await;
    assert_eq!((answer.status, answer.cache_control.as_deref()), (StatusCode::OK, Some("no-store")));
    let mut json = answer.json;
    let token = json["access_token"].take();
    let expected = json!({
        "access_token": null, "token_type": "Bearer", "expires_in": 900, "scope": "entity:read entity:write",
    });
    assert_eq!(json, expected);
    let now = stage.accounts.store.clock().now();
    let claims = stage.accounts.tokens.verify(token.as_str().unwrap(), now).unwrap();
    let caller = claims.caller(RequestId::new(now));
    let id = stage.id.parse().unwrap();
    assert_eq!(caller.subject, Subject::Machine { id, maker: stage.owner.id });
    assert_eq!((caller.org, caller.session), (stage.owner.caller.org, None));
    assert_eq!(caller.permissions.to_scope(), "entity:read entity:write");
    let by_itself =
        "SELECT count(*) FROM platform.audit WHERE action = 'service-account:sign_in' AND actor = key";
    assert_eq!(stage.accounts.count(by_itself).await, 1);

    // In the body as well as in the header, and for less than all.
    let body = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=entity%3Aread",
        stage.id, stage.secret
    );
    let narrow = stage.post(None, &body).await;
    assert_eq!((narrow.status, &narrow.json["scope"]), (StatusCode::OK, &json!("entity:read")));
}

#[tokio::test]
async fn the_token_endpoint_refuses_in_the_words_of_the_standard() {
    let stage = Stage::new().await;
    let (id, secret) = (stage.id.as_str(), stage.secret.as_str());
    let good = Some((id, secret));
    let key =
        pulse_tokens::MachineSecret::new(pulse_tokens::MachineKind::ServiceAccount, id.parse().unwrap());
    let never_given_out = key.text().expose();
    for (basic, body, status, error) in [
        (good, "grant_type=password", 400, "unsupported_grant_type"),
        (good, "scope=entity:read", 400, "invalid_request"),
        (good, "grant_type=client_credentials&scope=a&scope=b", 400, "invalid_request"),
        (good, "grant_type=client_credentials&scope=entity:delete", 400, "invalid_scope"),
        (Some((id, "guessed")), "grant_type=client_credentials", 401, "invalid_client"),
        (Some((id, never_given_out)), "grant_type=client_credentials", 401, "invalid_client"),
        (None, "grant_type=client_credentials", 401, "invalid_client"),
    ] {
        let answer = stage.post(basic, body).await;
        assert_eq!((answer.status.as_u16(), &answer.json["error"]), (status, &json!(error)), "{body}");
        assert!(
            answer.json["error_description"].is_string()
                && answer.cache_control.as_deref() == Some("no-store")
        );
        let challenged = answer.challenge.is_some_and(|challenge| challenge.starts_with("Basic"));
        assert_eq!(challenged, status == 401 && basic.is_some(), "{body}");
    }
    let tokens = "SELECT count(*) FROM platform.audit WHERE action = 'service-account:sign_in'";
    assert_eq!(stage.accounts.count(tokens).await, 0);
}

#[tokio::test]
async fn an_account_that_is_switched_off_orphaned_or_deleted_gets_no_token() {
    let stage = Stage::new().await;
    stage.run(UPDATE, json!({ "enabled": false })).await;
    assert_eq!(stage.token(&stage.secret, "").await.json["error"], "invalid_client");
    stage.run(UPDATE, json!({ "enabled": true, "scopes": ["entity:read"] })).await;
    let narrowed = stage.token(&stage.secret, "").await;
    assert_eq!(narrowed.json["scope"], "entity:read");
    let now = stage.accounts.store.clock().now();
    let claims = stage.accounts.tokens.verify(narrowed.json["access_token"].as_str().unwrap(), now).unwrap();
    assert_eq!(claims.machine.unwrap().terms, 3, "tokens of before are told from those of now");

    let rotated = stage.run(ROTATE, json!({ "overlapSeconds": 60 })).await;
    let second = rotated["rotateServiceAccountSecret"]["clientSecret"].as_str().unwrap();
    assert_eq!(stage.token(&stage.secret, "").await.status, StatusCode::OK);
    assert_eq!(stage.token(second, "").await.status, StatusCode::OK);
    stage.accounts.pass(60);
    assert_eq!(stage.token(&stage.secret, "").await.json["error"], "invalid_client");
    assert_eq!(stage.token(second, "").await.status, StatusCode::OK);

    assert_eq!(stage.run(DELETE, json!({})).await["deleteServiceAccount"]["id"], json!(stage.id));
    assert_eq!(stage.token(second, "").await.json["error"], "invalid_client");
    let list = "{ serviceAccounts { totalCount nodes { name } } }";
    let none = stage.accounts.data(&stage.owner.caller, list, json!({})).await;
    assert_eq!(none, json!({ "serviceAccounts": { "totalCount": 0, "nodes": [] } }));
    let one = "query ($id: ID!) { serviceAccount(id: $id) { name } apiKey(id: $id) { name } }";
    let none = stage.accounts.data(&stage.owner.caller, one, json!({ "id": stage.id })).await;
    assert_eq!(none, json!({ "serviceAccount": null, "apiKey": null }));
}
