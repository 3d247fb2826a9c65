use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use pulse_tokens::{AccessTokens, KeySet};
use serde_json::json;
use tower::ServiceExt;

use crate::harness::{Accounts, PASSWORD, email};

#[tokio::test]
async fn the_published_keys_verify_access_tokens() {
    let accounts = Accounts::new().await;
    let request = Request::get("/.well-known/jwks.json").body(Body::empty()).unwrap();
    let response = accounts.subgraph.routes.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CACHE_CONTROL], "public, max-age=300");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/jwk-set+json");
    let keys: KeySet =
        serde_json::from_slice(&to_bytes(response.into_body(), 10_000).await.unwrap()).unwrap();
    let ada = accounts.register("Ada").await;
    let query = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
    let input = json!({ "email": email("Ada"), "password": PASSWORD });
    let data = accounts.data(&accounts.anonymous(), query, json!({ "input": input })).await;
    let elsewhere = AccessTokens::verifying(keys).unwrap();
    let token = data["signIn"]["accessToken"].as_str().unwrap();
    assert_eq!(elsewhere.verify(token, accounts.store.clock().now()).unwrap().sub, ada.id);
}
