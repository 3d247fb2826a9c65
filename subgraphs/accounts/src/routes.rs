//! What GraphQL cannot serve.

use axum::Router;
use axum::http::header;
use axum::routing::get;
use pulse_tokens::AccessTokens;

/// Where the keys are.
pub const KEYS_PATH: &str = "/.well-known/jwks.json";

/// The keys that access tokens are verified by at the time of asking, which may be remembered for five minutes: the next one
/// is among them well before it signs.
pub fn routes(tokens: &AccessTokens) -> Router {
    let tokens = tokens.clone();
    let answer = move || async move {
        let keys = serde_json::to_vec(&*tokens.key_set()).expect("a key set is plain text");
        let headers = [
            (header::CONTENT_TYPE, "application/jwk-set+json"),
            (header::CACHE_CONTROL, "public, max-age=300"),
        ];
        (headers, keys)
    };
    Router::new().route(KEYS_PATH, get(answer))
}
