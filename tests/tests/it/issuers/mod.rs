//! Signing in by other issuers, through the gateway: a real one (`tests/issuer`), and one that lies.

mod browser;
mod fake;
mod faults;
mod flows;
mod linking;
mod organizations;
mod real;
mod second_factor;
mod tenants;
mod throttled;

use std::time::Duration;

use pulse_accounts::ProviderConfig;
use pulse_tests::{Answer, TestPlatform};
use pulse_types::Secret;
use serde_json::{Value, json};

use browser::{Browser, Callback};

const CLIENT: &str = "pulse";
const SECRET: &str = "a secret of the tests: +/%";
const PAGE: &str = "http://localhost:3000/sign-in/callback";
const AFTER: &str = "http://localhost:3000/";

const START: &str =
    "mutation ($input: StartSignInInput!) { startSignIn(input: $input) { authorizationUrl browserSecret } }";
const COMPLETE: &str = "mutation ($input: CompleteSignInInput!) { completeSignIn(input: $input) {
    accessToken refreshToken user { id email emailVerified name } organization { slug } } }";

/// A platform that knows the issuer as `main`, and reaches what is on this machine.
async fn platform(issuer: &str, change: impl FnOnce(&mut ProviderConfig)) -> TestPlatform {
    let mut provider = ProviderConfig {
        name: "Main".to_owned(),
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(Secret::new(SECRET)),
        scopes: ["profile", "email", "groups"].map(str::to_owned).to_vec(),
        sign_up: true,
        assumes_verified: false,
        domains: vec![],
        tenants: vec![],
        trusts_second_factor: false,
    };
    change(&mut provider);
    let proofs = format!("{issuer}/proofs/{{domain}}");
    TestPlatform::with_settings(|settings| {
        let oidc = &mut settings.accounts.oidc;
        oidc.allow_http = true;
        oidc.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
        oidc.allowed_ports = vec![];
        oidc.domain_proof_url = proofs;
        oidc.providers.insert("main".to_owned(), provider);
    })
    .await
}

/// Somebody on the way to an issuer.
struct Begun {
    url: String,
    secret: String,
}

async fn start(platform: &TestPlatform, provider: &str) -> Begun {
    let input = json!({ "providerId": provider, "redirectUri": PAGE });
    let answer = platform.graphql(None, START, json!({ "input": input })).await;
    Begun::of(&answer.json["data"]["startSignIn"]).unwrap_or_else(|| panic!("{answer:?}"))
}

impl Begun {
    fn of(payload: &Value) -> Option<Self> {
        let text = |name: &str| payload[name].as_str().map(str::to_owned);
        Some(Self { url: text("authorizationUrl")?, secret: text("browserSecret")? })
    }
}

fn completing(callback: &Callback, secret: &str) -> Value {
    let Callback { code, state, issuer } = callback;
    json!({ "code": code, "state": state, "issuer": issuer, "browserSecret": secret })
}

async fn complete(platform: &TestPlatform, callback: &Callback, secret: &str) -> Answer {
    platform.graphql(None, COMPLETE, json!({ "input": completing(callback, secret) })).await
}

/// Signs in as `login` with a new browser; what `completeSignIn` answers.
async fn sign_in(platform: &TestPlatform, provider: &str, login: &str) -> Answer {
    let begun = start(platform, provider).await;
    let callback = Browser::new().sign_in(&begun.url, login).await;
    complete(platform, &callback, &begun.secret).await
}

/// The payload of an answer without errors.
fn payload<'a>(answer: &'a Answer, field: &str) -> &'a Value {
    let payload = &answer.json["data"][field];
    assert!(answer.json.get("errors").is_none() && payload.is_object(), "{answer:?}");
    payload
}

/// The code of a refusal, and its field.
fn refusal(answer: &Answer) -> (&str, &str) {
    let field = answer.json["errors"][0]["extensions"]["field"].as_str().unwrap_or_default();
    (answer.code().unwrap_or_else(|| panic!("not refused: {answer:?}")), field)
}

/// Waits until every process has heard that the token's session is over.
async fn is_over(platform: &TestPlatform, token: &str) {
    let refused = async {
        while platform.graphql(Some(token), "{ me { id } }", json!({})).await.code()
            != Some("UNAUTHENTICATED")
        {}
    };
    tokio::time::timeout(Duration::from_secs(30), refused).await.expect("the session goes on");
}

/// How many people and sessions there are.
async fn counts(platform: &TestPlatform) -> (i64, i64) {
    let mut connection = platform.database.connect().await.unwrap();
    let counts = "SELECT (SELECT count(*) FROM accounts.users), (SELECT count(*) FROM accounts.sessions)";
    sqlx::query_as(counts).fetch_one(&mut connection).await.unwrap()
}
