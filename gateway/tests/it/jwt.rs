//! Callers by tokens of foreign issuers.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jsonwebtoken::Algorithm;
use pulse_gateway::{GatewayConfig, GatewayParts, IssuerConfig, JwtAuthenticator, JwtConfig};
use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::gateway::{TestGateway, parts};
use crate::support::issuer::{Issuer, SigningKey};
use crate::support::{clock, noon};

const BODY: &str = r#"{"query":"{ caller }"}"#;

fn issuer(jwks_url: &str) -> IssuerConfig {
    IssuerConfig {
        issuer: "https://id.example.com".into(),
        audiences: vec!["api".into()],
        jwks_url: jwks_url.into(),
        ..IssuerConfig::default()
    }
}

/// Settings under which keys may be fetched again at once.
fn eager(issuers: Vec<IssuerConfig>) -> JwtConfig {
    JwtConfig { refresh_cooldown: Duration::ZERO, issuers, ..JwtConfig::default() }
}

async fn gateway(config: &JwtConfig) -> TestGateway {
    let authenticator = JwtAuthenticator::init(config, clock()).await.unwrap();
    let parts = GatewayParts { authenticator: Arc::new(authenticator), ..parts() };
    TestGateway::with(parts, GatewayConfig::default()).await
}

async fn ask_with(gateway: &TestGateway, header: &str) -> Reply {
    let headers = ["content-type: application/json", header];
    gateway.send(Method::POST, "/graphql", &headers, BODY).await
}

async fn ask(gateway: &TestGateway, token: &str) -> Reply {
    ask_with(gateway, &format!("authorization: Bearer {token}")).await
}

/// The status and what the error says.
async fn refusal(gateway: &TestGateway, token: &str) -> String {
    let reply = ask(gateway, token).await;
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let error = &body["errors"][0];
    format!(
        "{} {} {}",
        reply.status.as_u16(),
        error["extensions"]["code"].as_str().unwrap_or("-"),
        error["message"]
    )
}

fn is_known(reply: &Reply) -> bool {
    assert_eq!(reply.status, 200, "{reply}");
    reply.text() == r#"{"data":{"caller":"External"}}"#
}

#[tokio::test]
async fn a_good_token_makes_a_caller_and_none_makes_nobody() {
    let keys = [
        SigningKey::ed25519("ed", 1),
        SigningKey::rsa("rs", Algorithm::RS256),
        SigningKey::rsa("ps", Algorithm::PS384),
    ];
    let published = Issuer::start(&keys.each_ref()).await;
    let gateway = gateway(&eager(vec![issuer(&published.jwks_url)])).await;
    for key in &keys {
        assert!(is_known(&ask(&gateway, &key.sign(json!({}))).await), "{}", key.id);
    }
    assert!(is_known(&ask(&gateway, &keys[0].sign(json!({ "aud": ["other", "api"] }))).await));
    let anonymous = gateway.post(BODY).await;
    assert_eq!((anonymous.status.as_u16(), anonymous.text()), (200, r#"{"data":{"caller":"Anonymous"}}"#));
}

#[tokio::test]
async fn a_token_that_is_no_good_is_401_and_says_why() {
    let (good, other) = (SigningKey::ed25519("a", 1), SigningKey::ed25519("a", 2));
    let published = Issuer::start(&[&good]).await;
    let gateway = gateway(&eager(vec![issuer(&published.jwks_url)])).await;
    let token = good.sign(json!({}));
    let (head, rest) = token.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    // `{"alg":"none"}`, and `{"alg":"HS256","kid":"a"}`, with another's signature.
    let unsigned = format!("eyJhbGciOiJub25lIn0.{rest}");
    let secret = format!("eyJhbGciOiJIUzI1NiIsImtpZCI6ImEifQ.{rest}");
    let tampered =
        format!("{head}.{}.{signature}", good.sign(json!({ "sub": "bob" })).split('.').nth(1).unwrap());
    let noon = noon().timestamp();
    let refusals = [
        refusal(&gateway, &good.sign(json!({ "exp": noon - 30 }))).await,
        refusal(&gateway, &good.sign(json!({ "exp": null }))).await,
        refusal(&gateway, &good.sign(json!({ "exp": "soon" }))).await,
        refusal(&gateway, &good.sign(json!({ "nbf": noon + 31 }))).await,
        refusal(&gateway, &good.sign(json!({ "aud": "other" }))).await,
        refusal(&gateway, &good.sign(json!({ "aud": null }))).await,
        refusal(&gateway, &good.sign(json!({ "iss": "https://evil.example.com" }))).await,
        refusal(&gateway, &good.sign(json!({ "iss": null }))).await,
        refusal(&gateway, &other.sign(json!({}))).await,
        refusal(&gateway, &SigningKey::ed25519("b", 2).sign(json!({}))).await,
        refusal(&gateway, &tampered).await,
        refusal(&gateway, &unsigned).await,
        refusal(&gateway, &secret).await,
        refusal(&gateway, "nonsense").await,
        refusal(&gateway, &"x".repeat(20_000)).await,
    ];
    insta::assert_snapshot!(refusals.join("\n"), @r#"
    401 UNAUTHENTICATED "the access token has expired: get a new one"
    401 UNAUTHENTICATED "the access token does not say when it ends (`exp`)"
    401 UNAUTHENTICATED "the access token has a `exp` that is no time"
    401 UNAUTHENTICATED "the access token is not valid yet (`nbf`)"
    401 UNAUTHENTICATED "the access token is for another audience (`aud`)"
    401 UNAUTHENTICATED "the access token is for another audience (`aud`)"
    401 UNAUTHENTICATED "the access token is from an issuer that is not trusted here"
    401 UNAUTHENTICATED "the access token is from an issuer that is not trusted here"
    401 UNAUTHENTICATED "the access token has a signature that is not valid"
    401 UNAUTHENTICATED "the access token is signed with a key that its issuer does not publish"
    401 UNAUTHENTICATED "the access token has a signature that is not valid"
    401 UNAUTHENTICATED "the access token is malformed"
    401 UNAUTHENTICATED "the access token is signed with HS256, which its issuer does not use here"
    401 UNAUTHENTICATED "the access token is malformed"
    401 UNAUTHENTICATED "the access token is longer than 16384 bytes"
    "#);
    // Within the leeway of 30 seconds.
    assert!(is_known(&ask(&gateway, &good.sign(json!({ "exp": noon - 29, "nbf": noon + 30 }))).await));
}

#[tokio::test]
async fn algorithms_that_are_not_listed_are_refused() {
    let key = SigningKey::rsa("a", Algorithm::RS256);
    let published = Issuer::start(&[&key]).await;
    let only = IssuerConfig { algorithms: vec!["ES256".into()], ..issuer(&published.jwks_url) };
    let gateway = gateway(&eager(vec![only])).await;
    insta::assert_snapshot!(refusal(&gateway, &key.sign(json!({}))).await, @r#"401 UNAUTHENTICATED "the access token is signed with RS256, which its issuer does not use here""#);
}

#[tokio::test]
async fn new_keys_are_found_when_a_token_names_them_and_old_ones_hold_while_they_are_published() {
    let (old, new) = (SigningKey::ed25519("old", 1), SigningKey::ed25519("new", 2));
    let published = Issuer::start(&[&old]).await;
    let gateway = gateway(&eager(vec![issuer(&published.jwks_url)])).await;
    assert!(is_known(&ask(&gateway, &old.sign(json!({}))).await));
    published.publish(&[&old, &new]);
    assert!(is_known(&ask(&gateway, &new.sign(json!({}))).await));
    assert!(is_known(&ask(&gateway, &old.sign(json!({ "n": 2 }))).await));
    // The next fetch, which any unknown key brings about, leaves the old one behind.
    published.publish(&[&new]);
    ask(&gateway, &SigningKey::ed25519("third", 3).sign(json!({}))).await;
    assert_eq!(ask(&gateway, &old.sign(json!({ "n": 3 }))).await.status, 401);
    assert!(is_known(&ask(&gateway, &new.sign(json!({ "n": 4 }))).await));
}

#[tokio::test]
async fn unknown_keys_cannot_make_the_gateway_fetch_without_end() {
    let key = SigningKey::ed25519("a", 1);
    let published = Issuer::start(&[&key]).await;
    let config = JwtConfig {
        refresh_cooldown: Duration::from_hours(1),
        issuers: vec![issuer(&published.jwks_url)],
        ..JwtConfig::default()
    };
    let gateway = gateway(&config).await;
    for seed in 2..6 {
        assert_eq!(ask(&gateway, &SigningKey::ed25519("b", seed).sign(json!({}))).await.status, 401);
    }
    assert_eq!(published.fetches(), 1);
    assert!(is_known(&ask(&gateway, &key.sign(json!({}))).await));
}

#[tokio::test]
async fn the_last_keys_are_used_while_the_issuer_is_down_or_answers_nonsense() {
    let (key, other) = (SigningKey::ed25519("a", 1), SigningKey::ed25519("b", 2));
    let published = Issuer::start(&[&key]).await;
    let gateway = gateway(&eager(vec![issuer(&published.jwks_url)])).await;
    let symmetric = json!({ "keys": [{ "kty": "oct", "kid": "b", "k": "c2VjcmV0" }] });
    for nonsense in
        [json!({ "keys": [] }), json!("no keys"), json!({ "keys": [{ "kty": "XYZ" }] }), symmetric]
    {
        published.publish_set(nonsense);
        assert_eq!(ask(&gateway, &other.sign(json!({}))).await.status, 401);
    }
    published.take_down();
    assert_eq!(ask(&gateway, &other.sign(json!({}))).await.status, 401);
    assert!(is_known(&ask(&gateway, &key.sign(json!({}))).await));
}

#[tokio::test]
async fn an_issuer_that_is_down_at_the_start_makes_its_tokens_wait_and_nobody_else() {
    let key = SigningKey::ed25519("a", 1);
    let published = Issuer::start(&[]).await;
    let gateway = gateway(&eager(vec![issuer(&published.jwks_url)])).await;
    insta::assert_snapshot!(refusal(&gateway, &key.sign(json!({}))).await, @r#"503 UNAVAILABLE "your credentials cannot be checked just now; try again in a moment""#);
    assert_eq!(gateway.post(BODY).await.status, 200);
    published.publish(&[&key]);
    assert!(is_known(&ask(&gateway, &key.sign(json!({}))).await));
}

#[tokio::test]
async fn each_issuer_has_keys_of_its_own() {
    let (first, second) = (SigningKey::ed25519("a", 1), SigningKey::ed25519("a", 2));
    let (one, two) = (Issuer::start(&[&first]).await, Issuer::start(&[&second]).await);
    let other = IssuerConfig { issuer: "https://other.example.com".into(), ..issuer(&two.jwks_url) };
    let gateway = gateway(&eager(vec![issuer(&one.jwks_url), other])).await;
    let foreign = json!({ "iss": "https://other.example.com" });
    assert!(is_known(&ask(&gateway, &first.sign(json!({}))).await));
    assert!(is_known(&ask(&gateway, &second.sign(foreign.clone())).await));
    assert_eq!(ask(&gateway, &first.sign(foreign)).await.status, 401);
    assert_eq!(ask(&gateway, &second.sign(json!({}))).await.status, 401);
}

#[tokio::test]
async fn keys_may_be_in_a_file_and_the_token_in_a_header_or_a_cookie_of_its_own() {
    let key = SigningKey::ed25519("a", 1);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.json");
    std::fs::write(&file, json!({ "keys": [key.public()] }).to_string()).unwrap();
    let in_file = IssuerConfig { jwks_file: file.display().to_string(), ..issuer("") };
    let config = JwtConfig {
        header: "x-token".into(),
        prefix: String::new(),
        cookie: "session".into(),
        ..eager(vec![in_file])
    };
    let gateway = gateway(&config).await;
    let (one, two) = (key.sign(json!({})), key.sign(json!({ "n": 2 })));
    assert!(is_known(&ask_with(&gateway, &format!("x-token: {one}")).await));
    assert!(is_known(&ask_with(&gateway, &format!("cookie: theme=dark; session={two}")).await));
    // Another token in the same header is another credential, whatever was remembered.
    assert_eq!(ask_with(&gateway, "x-token: nonsense").await.status, 401);
    assert!(!is_known(&ask_with(&gateway, &format!("authorization: Bearer {one}")).await));
}

#[tokio::test]
async fn a_file_that_has_no_keys_stops_the_start() {
    let missing = IssuerConfig { jwks_file: "/nowhere/keys.json".into(), ..issuer("") };
    let error = JwtAuthenticator::init(&eager(vec![missing]), clock()).await.err().unwrap();
    insta::assert_snapshot!(error, @r"gateway.jwt: the key set /nowhere/keys.json: the file cannot be read: No such file or directory (os error 2)");
}

#[tokio::test]
async fn tokens_may_be_required() {
    let key = SigningKey::ed25519("a", 1);
    let published = Issuer::start(&[&key]).await;
    let config = JwtConfig { required: true, ..eager(vec![issuer(&published.jwks_url)]) };
    let gateway = gateway(&config).await;
    insta::assert_snapshot!(gateway.post(BODY).await, @r#"
    401 Unauthorized
    content-type: application/graphql-response+json; charset=utf-8
    www-authenticate: Bearer

    {"errors":[{"message":"send an access token as `authorization: Bearer <access token>`","extensions":{"code":"UNAUTHENTICATED"}}]}
    "#);
    assert!(is_known(&ask(&gateway, &key.sign(json!({}))).await));
}
