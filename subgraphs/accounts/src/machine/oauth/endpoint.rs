//! `/oauth/token` (RFC 6749 §3.2, §5).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use pulse_types::ClientAddress;
use serde_json::json;

use super::form::{self, FormError};
use super::{TokenGrant, TokenGrants, TokenRefusal, TokenRequest};

/// How large a request may be.
const BODY_LIMIT: usize = 16 * 1024;

/// The endpoint, for wherever it is public.
pub fn token_routes(grants: Arc<dyn TokenGrants>) -> Router {
    Router::new()
        .route("/oauth/token", post(token))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(grants)
}

async fn token(
    State(grants): State<Arc<dyn TokenGrants>>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (request, by_header) = match form::read(&headers, &body) {
        Ok(read) => read,
        Err(error) => return malformed(error),
    };
    let address = address.map(|Extension(ClientAddress(address))| address);
    let request = TokenRequest { address, ..request };
    match grants.grant(&request).await {
        Ok(Ok(TokenGrant { access_token, expires_in, scope })) => {
            let body = json!({
                "access_token": access_token.expose(),
                "token_type": "Bearer",
                "expires_in": expires_in,
                "scope": scope,
            });
            answer(StatusCode::OK, &body)
        }
        Ok(Err(refusal @ TokenRefusal::Client)) => unknown_client(&refusal.to_string(), by_header),
        Ok(Err(refusal @ TokenRefusal::TooOften(seconds))) => {
            let body = json!({ "error": "slow_down", "error_description": refusal.to_string() });
            ([(RETRY_AFTER, seconds.to_string())], answer(StatusCode::TOO_MANY_REQUESTS, &body))
                .into_response()
        }
        Ok(Err(refusal @ TokenRefusal::Scope(_))) => refuse("invalid_scope", &refusal.to_string()),
        Err(error) => {
            tracing::error!(%error, "a service account gets no token");
            let text = "tokens cannot be made just now; try again in a moment";
            let body = json!({ "error": "temporarily_unavailable", "error_description": text });
            answer(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
    }
}

fn malformed(error: FormError) -> Response {
    match error {
        FormError::Client { by_header } => unknown_client(&error.to_string(), by_header),
        FormError::GrantType => refuse("unsupported_grant_type", &error.to_string()),
        FormError::ContentType | FormError::Twice | FormError::NoGrantType | FormError::TwoWays => {
            refuse("invalid_request", &error.to_string())
        }
    }
}

/// A client that has used the header is told which scheme it has to use (§5.2).
fn unknown_client(text: &str, by_header: bool) -> Response {
    let body = json!({ "error": "invalid_client", "error_description": text });
    let response = answer(StatusCode::UNAUTHORIZED, &body);
    if by_header {
        ([(WWW_AUTHENTICATE, "Basic realm=\"pulse\"")], response).into_response()
    } else {
        response
    }
}

fn refuse(error: &str, text: &str) -> Response {
    // §5.2 allows neither quotes nor backslashes here.
    let text: String = text.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    answer(StatusCode::BAD_REQUEST, &json!({ "error": error, "error_description": text }))
}

fn answer(status: StatusCode, body: &serde_json::Value) -> Response {
    (status, [(CACHE_CONTROL, "no-store"), (PRAGMA, "no-cache")], Json(body)).into_response()
}
