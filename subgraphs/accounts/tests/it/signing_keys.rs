//! The keys of access tokens are replaced with an overlap.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use pulse_accounts::{KeyState, Rotation, SigningKeys, SigningKeysConfig, SigningKeysError};
use pulse_sealing::Sealer;
use pulse_tokens::{AccessTokens, KeySet, SigningKey, TokenError};
use pulse_types::Secret;
use serde_json::json;
use tower::ServiceExt;

use crate::harness::{Accounts, PASSWORD, email, sealer};

const HOUR: i64 = 3_600;

fn keys(accounts: &Accounts, tokens: &AccessTokens) -> SigningKeys {
    let config = SigningKeysConfig::default();
    SigningKeys::new(accounts.store.clone(), sealer(), tokens.clone(), config)
}

/// Another process, which has no key of its own.
async fn another(accounts: &Accounts) -> (AccessTokens, SigningKeys) {
    let tokens = AccessTokens::none();
    let keys = keys(accounts, &tokens);
    keys.refresh().await.unwrap();
    (tokens, keys)
}

async fn token(accounts: &Accounts) -> String {
    let query = "mutation ($email: String!, $password: String!) {
        signIn(input: { email: $email, password: $password }) { accessToken } }";
    let variables = json!({ "email": email("Ada"), "password": PASSWORD });
    let data = accounts.data(&accounts.anonymous(), query, variables).await;
    data["signIn"]["accessToken"].as_str().unwrap().to_owned()
}

async fn published(accounts: &Accounts) -> Vec<String> {
    let request = Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap();
    let response = accounts.subgraph.routes.clone().oneshot(request).await.unwrap();
    let body = to_bytes(response.into_body(), 10_000).await.unwrap();
    let keys: KeySet = serde_json::from_slice(&body).unwrap();
    keys.ids().map(str::to_owned).collect()
}

#[tokio::test]
async fn a_new_key_is_published_then_signs_and_the_old_one_is_accepted_until_its_tokens_end() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    let own = keys(&accounts, &accounts.tokens);
    own.refresh().await.unwrap();
    let (elsewhere, others) = another(&accounts).await;
    let first = published(&accounts).await;
    assert_eq!(first.len(), 1);
    let verify = |token: &str| elsewhere.verify(token, accounts.store.clock().now()).map(drop);

    let rotated = own.rotate(Rotation::WithOverlap).await.unwrap();
    assert!(rotated.is_new);
    assert_eq!(published(&accounts).await, [first[0].clone(), rotated.kid.clone()]);
    // The old one signs on, and the other process hears of the new one before it signs.
    assert_eq!(verify(&token(&accounts).await), Ok(()));
    others.refresh().await.unwrap();
    accounts.pass(HOUR - 1);
    own.refresh().await.unwrap();
    let old = token(&accounts).await;
    accounts.pass(1);
    own.refresh().await.unwrap();
    let new = token(&accounts).await;
    assert_eq!((verify(&old), verify(&new)), (Ok(()), Ok(())));
    let states: Vec<_> = own.list().await.unwrap().into_iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Retired, KeyState::Current]);
    // As long as the token lives, and then not published any more.
    accounts.pass(899);
    others.refresh().await.unwrap();
    assert_eq!(verify(&old), Ok(()));
    accounts.pass(61);
    own.refresh().await.unwrap();
    others.refresh().await.unwrap();
    assert_eq!(published(&accounts).await, [rotated.kid]);
    assert_eq!(verify(&old), Err(TokenError::UnknownKey));
}

#[tokio::test]
async fn of_many_rotations_at_once_one_wins_and_none_waits_for_ever() {
    let accounts = Accounts::new().await;
    let (_, first) = another(&accounts).await;
    let processes: Vec<_> = (0..8).map(|_| Arc::new(keys(&accounts, &AccessTokens::none()))).collect();
    let all = processes.iter().map(|keys| keys.rotate(Rotation::WithOverlap));
    let rotated = futures::future::join_all(all).await;
    let made: Vec<_> = rotated.iter().map(|rotated| rotated.as_ref().unwrap()).collect();
    assert_eq!(made.iter().filter(|rotated| rotated.is_new).count(), 1);
    assert!(made.iter().all(|rotated| rotated.kid == made[0].kid));
    assert_eq!(first.list().await.unwrap().len(), 2);
    // The same where many find at once that one is due.
    accounts.pass(90 * 24 * HOUR);
    let all = processes.iter().map(|keys| keys.refresh());
    for refreshed in futures::future::join_all(all).await {
        refreshed.unwrap();
    }
    let states: Vec<_> = first.list().await.unwrap().into_iter().map(|key| key.state).collect();
    assert_eq!(states, [KeyState::Current, KeyState::Next]);
}

#[tokio::test]
async fn after_a_theft_nothing_of_another_key_is_accepted() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    let own = keys(&accounts, &accounts.tokens);
    own.refresh().await.unwrap();
    let stolen = token(&accounts).await;
    own.rotate(Rotation::WithOverlap).await.unwrap();
    let rotated = own.rotate(Rotation::AtOnce).await.unwrap();
    assert_eq!(published(&accounts).await, [rotated.kid]);
    let now = accounts.store.clock().now();
    assert_eq!(accounts.tokens.verify(&stolen, now).map(drop), Err(TokenError::UnknownKey));
    let fresh = token(&accounts).await;
    // The configured key is the first one, and comes back no more.
    own.refresh().await.unwrap();
    assert_eq!(accounts.tokens.verify(&fresh, now).map(drop), Ok(()));
    assert_eq!(published(&accounts).await.len(), 1);
}

#[tokio::test]
async fn a_private_key_is_sealed_and_who_cannot_open_it_signs_nothing_and_verifies_all() {
    let accounts = Accounts::new().await;
    accounts.register("Ada").await;
    let own = keys(&accounts, &accounts.tokens);
    own.refresh().await.unwrap();
    let token = token(&accounts).await;
    let seed = "SELECT count(*) FROM accounts.signing_keys WHERE seed LIKE 'sealed.1.%'";
    assert_eq!(accounts.count(seed).await, 1);
    let plain = SigningKey::from_seed(&[1; 32]).unwrap().to_base64();
    let mut connection = accounts.database.connect().await.unwrap();
    let dump: String = sqlx::query_scalar("SELECT string_agg(k::text, ' ') FROM accounts.signing_keys k")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert!(!dump.contains(plain.expose()), "{dump}");

    let other = Secret::new("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
    let (tokens, sealer) = (AccessTokens::none(), Sealer::try_new(&other, &[]).unwrap());
    let blind =
        SigningKeys::new(accounts.store.clone(), sealer, tokens.clone(), SigningKeysConfig::default());
    assert!(matches!(blind.refresh().await, Err(SigningKeysError::Sealed { .. })));
    let claims = tokens.verify(&token, accounts.store.clock().now()).unwrap();
    assert!(tokens.sign(&claims).is_none());
}
