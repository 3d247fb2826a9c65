//! What GraphQL cannot serve.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use pulse_tokens::AccessTokens;

/// The keys that access tokens are verified by, which may be remembered for five minutes.
pub fn routes(tokens: &AccessTokens) -> Router {
    let keys = serde_json::to_vec(tokens.key_set()).expect("a key set is plain text");
    let keys: Arc<[u8]> = keys.into();
    let answer = move || async move {
        let headers = [
            (header::CONTENT_TYPE, "application/jwk-set+json"),
            (header::CACHE_CONTROL, "public, max-age=300"),
        ];
        (headers, keys.to_vec())
    };
    Router::new().route("/.well-known/jwks.json", get(answer))
}
