//! Second factors after an issuer: asked of whoever has one, unless the issuer is believed to have asked.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use pulse_accounts::ProviderConfig;
use pulse_tests::{PASSWORD, Person, TestPlatform};
use pulse_types::Clock;
use serde_json::{Value, json};
use sha1::Sha1;

use super::fake::FakeIssuer;
use super::{complete, completing, payload, platform, start};

const COMPLETE: &str = "mutation ($input: CompleteSignInInput!) { completeSignIn(input: $input) {
    accessToken challenge { token kinds } } }";
const VERIFY: &str = "mutation ($challenge: String!, $recovery: String!) {
    verifySecondFactor(input: { challenge: $challenge, recoveryCode: $recovery }) { accessToken user { email } } }";

/// An issuer whose Ada has an app and recovery codes here.
struct Stage {
    issuer: FakeIssuer,
    platform: TestPlatform,
    recovery: Vec<String>,
}

impl Stage {
    async fn new(change: impl FnOnce(&mut ProviderConfig)) -> Self {
        let issuer = FakeIssuer::start().await;
        let platform = platform(&issuer.url, change).await;
        let begun = start(&platform, "main").await;
        let answer = complete(&platform, &issuer.answer(&begun, &json!({})), &begun.secret).await;
        let token = payload(&answer, "completeSignIn")["accessToken"].as_str().unwrap().to_owned();
        // Setting an app up takes a password, which she has by now.
        Person::register(&platform, "other@acme.example").await;
        let mut connection = platform.database.connect().await.unwrap();
        let sql = "INSERT INTO accounts.credentials (user_id, password_hash, updated_at)
            SELECT ada.user_id, c.password_hash, c.updated_at
              FROM accounts.users AS ada, accounts.users AS other JOIN accounts.credentials AS c USING (user_id)
             WHERE ada.email = 'ada@acme.example' AND other.email = 'other@acme.example'
            ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash";
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        let set_up = "mutation ($password: String!) { beginTotp(input: { password: $password }) { secret } }";
        let begun = platform.data(&token, set_up, json!({ "password": PASSWORD })).await;
        let confirm = "mutation ($code: String!) { confirmTotp(input: { code: $code }) { recoveryCodes } }";
        let code = shown(begun["beginTotp"]["secret"].as_str().unwrap());
        let confirmed = platform.data(&token, confirm, json!({ "code": code })).await;
        let codes = confirmed["confirmTotp"]["recoveryCodes"].as_array().unwrap();
        let recovery = codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect();
        Self { issuer, platform, recovery }
    }

    /// What signing in once more is answered, when the issuer says this of it.
    async fn sign_in(&self, says: Value) -> Value {
        let begun = start(&self.platform, "main").await;
        let callback = self.issuer.answer(&begun, &says);
        let input = json!({ "input": completing(&callback, &begun.secret) });
        let answer = self.platform.graphql(None, COMPLETE, input).await;
        payload(&answer, "completeSignIn").clone()
    }
}

/// What an app shows.
fn shown(secret: &str) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let step = Clock::system().now().timestamp() / 30;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

#[tokio::test]
async fn who_has_a_second_factor_here_is_asked_for_it_after_an_issuer_too() {
    let stage = Stage::new(|_| {}).await;
    // It is not believed, whatever it says.
    for says in [json!({}), json!({ "amr": ["pwd", "mfa"] })] {
        let answer = stage.sign_in(says).await;
        assert_eq!(answer["accessToken"], Value::Null);
        assert_eq!(answer["challenge"]["kinds"], json!(["TOTP", "RECOVERY_CODE"]));
    }
    let challenge = stage.sign_in(json!({})).await["challenge"]["token"].take();
    let variables = json!({ "challenge": challenge, "recovery": stage.recovery[0] });
    let answer = stage.platform.graphql(None, VERIFY, variables).await;
    let session = payload(&answer, "verifySecondFactor");
    assert_eq!(session["user"]["email"], "ada@acme.example");
    // The session is the issuer's: signing out leads there.
    let token = session["accessToken"].as_str().unwrap();
    let mut connection = stage.platform.database.connect().await.unwrap();
    let sql = "SELECT count(*) FROM accounts.session_origins WHERE provider = 'main'";
    let origins: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    assert_eq!(origins, 2);
    stage.platform.data(token, "{ me { id } }", json!({})).await;
}

#[tokio::test]
async fn an_issuer_that_is_trusted_and_says_that_it_has_asked_is_enough() {
    let stage = Stage::new(|provider| provider.trusts_second_factor = true).await;
    for says in [json!({ "amr": ["pwd", "mfa"] }), json!({ "acr": "phr" })] {
        let answer = stage.sign_in(says).await;
        assert_ne!(answer["accessToken"], Value::Null);
        assert_eq!(answer["challenge"], Value::Null);
    }
    for says in [json!({}), json!({ "amr": ["pwd"] }), json!({ "amr": ["otp"] }), json!({ "acr": "1" })] {
        assert_ne!(stage.sign_in(says.clone()).await["challenge"], Value::Null, "{says}");
    }
}
