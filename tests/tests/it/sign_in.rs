//! Signing in, through the gateway: two steps, keys that are replaced, and what does not sign in.

use std::time::{Duration, Instant};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, Mac};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use pulse_accounts::{Rotation, SigningKeys, SigningKeysConfig};
use pulse_sealing::Sealer;
use pulse_tests::{PASSWORD, Person, TestPlatform};
use pulse_tokens::AccessTokens;
use pulse_types::Secret;
use serde_json::{Value, json};
use sha1::Sha1;
use tokio::time::interval;

const EMAIL: &str = "ada@alpha.example";
const ME: &str = "{ me { email } }";

/// What an app shows now.
fn code(platform: &TestPlatform, secret: &str) -> String {
    let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).unwrap();
    mac.update(&(platform.store.clock().now().timestamp() / 30).to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 15);
    let number = u32::from_be_bytes(digest[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

async fn sign_in(platform: &TestPlatform) -> Value {
    let sign_in = "mutation ($email: String!, $password: String!) {
        signIn(input: { email: $email, password: $password }) {
            accessToken refreshToken challenge { token kinds } } }";
    let variables = json!({ "email": EMAIL, "password": PASSWORD });
    let mut answer = platform.graphql(None, sign_in, variables).await;
    assert_eq!(answer.json.get("errors"), None, "{answer:?}");
    answer.json["data"]["signIn"].take()
}

#[tokio::test]
async fn whoever_has_an_app_signs_in_by_two_steps_and_everywhere_else_is_out_at_once() {
    let platform = TestPlatform::start().await;
    let ada = Person::register(&platform, EMAIL).await;
    let other = sign_in(&platform).await["accessToken"].as_str().unwrap().to_owned();
    let begin = "mutation ($password: String!) { beginTotp(input: { password: $password }) { secret uri } }";
    let enrolment = platform.data(&ada.token, begin, json!({ "password": PASSWORD })).await;
    let secret = enrolment["beginTotp"]["secret"].as_str().unwrap();
    let confirm = "mutation ($code: String!) { confirmTotp(input: { code: $code }) { recoveryCodes } }";
    let shown = code(&platform, secret);
    let confirmed = platform.data(&ada.token, confirm, json!({ "code": shown })).await;
    let recovery = &confirmed["confirmTotp"]["recoveryCodes"];

    // The other session is refused as soon as its end is heard of.
    let (since, mut again) = (Instant::now(), interval(Duration::from_millis(20)));
    while platform.graphql(Some(&other), ME, json!({})).await.code() != Some("UNAUTHENTICATED") {
        assert!(since.elapsed() < Duration::from_secs(20), "the other session goes on");
        again.tick().await;
    }
    assert_eq!(platform.data(&ada.token, ME, json!({})).await["me"]["email"], EMAIL);

    let first = sign_in(&platform).await;
    assert_eq!((&first["accessToken"], &first["refreshToken"]), (&Value::Null, &Value::Null));
    assert_eq!(first["challenge"]["kinds"], json!(["TOTP", "RECOVERY_CODE"]));
    let challenge = &first["challenge"]["token"];
    // What stands for the first step is no access token.
    let early = platform.graphql(challenge.as_str(), ME, json!({})).await;
    assert_eq!(early.code(), Some("UNAUTHENTICATED"), "{early:?}");
    let complete = "mutation ($challenge: String!, $code: String, $recovery: String) {
        verifySecondFactor(input: { challenge: $challenge, code: $code, recoveryCode: $recovery }) {
            accessToken } }";
    // The code that confirmed the app is good no more.
    let replayed = json!({ "challenge": challenge, "code": shown });
    let replayed = platform.graphql(None, complete, replayed).await;
    assert_eq!(replayed.code(), Some("UNAUTHENTICATED"), "{replayed:?}");
    let variables = json!({ "challenge": challenge, "recovery": recovery[0] });
    let done = platform.graphql(None, complete, variables).await;
    assert_eq!(done.json.get("errors"), None, "{done:?}");
    let token = done.json["data"]["verifySecondFactor"]["accessToken"].as_str().unwrap();
    assert_eq!(platform.data(token, ME, json!({})).await["me"]["email"], EMAIL);
    let left = "{ me { secondFactor { recoveryCodesLeft } } }";
    assert_eq!(platform.data(token, left, json!({})).await["me"]["secondFactor"]["recoveryCodesLeft"], 9);
}

#[tokio::test]
async fn a_gateway_that_sees_a_new_key_takes_it_and_leaves_the_stolen_one() {
    let platform = TestPlatform::start().await;
    let another = platform.another().await;
    let ada = Person::register(&platform, EMAIL).await;
    assert_eq!(another.data(&ada.token, ME, json!({})).await["me"]["email"], EMAIL);
    let claims = platform.tokens.verify(&ada.token, platform.store.clock().now()).unwrap();

    let tokens = AccessTokens::none();
    let sealer = Sealer::try_new(&Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="), &[]).unwrap();
    let config = SigningKeysConfig::default();
    let keys = SigningKeys::new(platform.store.clone(), sealer, tokens.clone(), config);
    // One that is published ahead, and tokens of both are accepted in both processes.
    let next = keys.rotate(Rotation::WithOverlap).await.unwrap();
    assert_eq!(keys.list().await.unwrap().len(), 2, "{next:?}");
    assert_eq!(platform.data(&ada.token, ME, json!({})).await["me"]["email"], EMAIL);

    keys.rotate(Rotation::AtOnce).await.unwrap();
    let fresh = tokens.sign(&claims).unwrap().unwrap();
    for process in [&platform, &another] {
        assert_eq!(process.data(&fresh, ME, json!({})).await["me"]["email"], EMAIL);
        assert!(process.tokens.verify(&ada.token, process.store.clock().now()).is_err());
        let published = process.get("/.well-known/jwks.json").await.json;
        assert_eq!(published["keys"].as_array().map(Vec::len), Some(1), "{published}");
    }
}

#[tokio::test]
async fn cookies_sign_nobody_in_and_none_is_given_out() {
    let platform = TestPlatform::start().await;
    let ada = Person::register(&platform, EMAIL).await;
    let refresh = sign_in(&platform).await["refreshToken"].as_str().unwrap().to_owned();
    let cookies = ["access_token", "accessToken", "token", "session", "__Host-pulse", "Authorization"];
    let cookies: Vec<String> = cookies.iter().map(|name| format!("{name}={}", ada.token)).collect();
    let cookies = format!("{}; refresh_token={refresh}; __Host-refresh={refresh}", cookies.join("; "));
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let ask = |body: Value| {
        let request = Request::post(format!("http://{}/graphql", platform.address()))
            .header("content-type", "application/json")
            .header("origin", "https://elsewhere.example")
            .header("cookie", &cookies)
            .body(Full::new(Bytes::from(body.to_string())))
            .unwrap();
        let client = client.clone();
        async move {
            let response = client.request(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            (parts.headers, serde_json::from_slice::<Value>(&body).unwrap())
        }
    };
    let (_, me) = ask(json!({ "query": ME })).await;
    assert_eq!(me["data"], json!({ "me": null }), "{me}");
    let refresh = "mutation { refreshSession(input: { refreshToken: \"\" }) { accessToken } }";
    let (_, refused) = ask(json!({ "query": refresh })).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{refused}");
    let sign_in = "mutation ($email: String!, $password: String!) {
        signIn(input: { email: $email, password: $password }) { accessToken refreshToken } }";
    let variables = json!({ "email": EMAIL, "password": PASSWORD });
    let (headers, signed_in) = ask(json!({ "query": sign_in, "variables": variables })).await;
    assert!(signed_in["data"]["signIn"]["accessToken"].is_string(), "{signed_in}");
    assert_eq!(headers.get("set-cookie"), None);
    // What has a token in it is kept by nobody on the way.
    let kept = headers.get("cache-control").and_then(|value| value.to_str().ok()).unwrap_or_default();
    assert!(kept.contains("no-store"), "{headers:?}");
}
