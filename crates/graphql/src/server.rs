//! A subgraph behind HTTP, for gateways in other processes.

use std::sync::Arc;

use async_graphql::http::MultipartOptions;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use pulse_tokens::CallerTokens;
use pulse_types::{Caller, Clock};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{Subgraph, feed, socket};

/// The header in which a gateway sends the signed caller.
pub const CALLER_HEADER: &str = "pulse-caller";

/// What a gateway may send at most: representations of a large page fit well.
pub(crate) const BODY_LIMIT: usize = 16 * 1024 * 1024;

/// The secret that this subgraph shares with its gateways.
pub type CallerSecret = pulse_types::Secret;

pub(crate) struct Served {
    pub(crate) subgraph: Subgraph,
    tokens: CallerTokens,
    pub(crate) clock: Clock,
    /// When it is cancelled, answers that have no end of their own come to one.
    pub(crate) stop: CancellationToken,
}

/// The subgraph's own routes, `/graphql` (by POST and WebSocket) and `/internal/…` for gateways that hold `secret`, and
/// `/health/live` and `/health/ready`. A request without a valid caller token of this audience is refused. Answers that
/// have no end of their own end with `stop`.
pub fn router(subgraph: Subgraph, secret: &CallerSecret, clock: Clock, stop: CancellationToken) -> Router {
    let (routes, internal) = (subgraph.routes.clone(), subgraph.internal.clone());
    let tokens = CallerTokens::new(subgraph.name, secret);
    let served = Arc::new(Served { subgraph, tokens, clock, stop });
    let internal = internal
        .merge(Router::new().route("/changes", get(feed::changes)).with_state(Arc::clone(&served)))
        .layer(middleware::from_fn_with_state(Arc::clone(&served), processes_alone));
    Router::new()
        .route("/graphql", post(graphql).get(socket::upgrade))
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .with_state(served)
        .nest("/internal", internal)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .merge(routes)
}

/// What is internal is for the gateways themselves, whoever they ask for otherwise.
async fn processes_alone(State(served): State<Arc<Served>>, request: Request, next: Next) -> Response {
    match authenticate(&served, request.headers()) {
        Ok(caller) if caller.is_process() => next.run(request).await,
        Ok(_) => {
            refuse(StatusCode::FORBIDDEN, "FORBIDDEN", "this is for gateways themselves, not for callers")
        }
        Err(problem) => refuse(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", &problem),
    }
}

async fn graphql(State(served): State<Arc<Served>>, headers: HeaderMap, body: Bytes) -> Response {
    let caller = match authenticate(&served, &headers) {
        Ok(caller) => Arc::new(caller),
        Err(problem) => return refuse(StatusCode::UNAUTHORIZED, "UNAUTHENTICATED", &problem),
    };
    let request = match read(&headers, &body).await {
        Ok(request) => request,
        Err(problem) => return refuse(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", &problem),
    };
    let response = served.subgraph.api.execute(caller, request).await;
    match serde_json::to_vec(&response) {
        Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
        Err(error) => {
            tracing::error!(%error, "a response does not serialize");
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "internal server error")
        }
    }
}

/// A request as JSON, or with files as multipart/form-data. A form of a foreign page has no caller's token.
async fn read(headers: &HeaderMap, body: &Bytes) -> Result<async_graphql::Request, String> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let files = content_type.filter(|name| name.starts_with("multipart/form-data"));
    let request = match files {
        None => serde_json::from_slice(body).map_err(|error| error.to_string()),
        Some(_) => async_graphql::http::receive_body(content_type, &body[..], MultipartOptions::default())
            .await
            .map_err(|error| error.to_string()),
    };
    request.map_err(|problem| format!("the body is not a GraphQL request: {problem}"))
}

fn authenticate(served: &Served, headers: &HeaderMap) -> Result<Caller, String> {
    let token = headers.get(CALLER_HEADER).map(|token| token.to_str());
    let token = token.transpose().map_err(|_| format!("`{CALLER_HEADER}` is not a token"))?;
    served.caller(token, CALLER_HEADER)
}

impl Served {
    /// The caller that a token proves. `place` is where it should have been.
    pub(crate) fn caller(&self, token: Option<&str>, place: &str) -> Result<Caller, String> {
        let token = token.ok_or_else(|| {
            format!("this is a subgraph: ask its gateway, which signs the caller in `{place}`")
        })?;
        self.tokens.verify(token, self.clock.now()).map_err(|error| error.to_string())
    }
}

async fn ready(State(served): State<Arc<Served>>) -> Response {
    if let Err(error) = served.subgraph.store.ping().await {
        tracing::warn!(%error, "not ready");
        let body = json!({ "ready": false, "database": "does not answer" });
        return (StatusCode::SERVICE_UNAVAILABLE, axum::Json(body)).into_response();
    }
    let missing = served.subgraph.missing().await;
    if missing.is_empty() {
        return axum::Json(json!({ "ready": true })).into_response();
    }
    axum::Json(json!({ "ready": true, "degraded": missing })).into_response()
}

pub(crate) fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({ "errors": [{ "message": message, "extensions": { "code": code } }] });
    (status, axum::Json(body)).into_response()
}
