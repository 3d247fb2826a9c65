//! HTTP: routes, content negotiation, the query page, health, metrics, the server itself.

pub(crate) mod client_address;
mod compression;
pub(crate) mod cors;
pub(crate) mod drain;
mod health;
mod metrics;
pub(crate) mod negotiate;
mod protect;
mod query_page;
pub(crate) mod request_id;
mod serve;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get};
use http::{Method, StatusCode, Uri, header};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;
use crate::pipeline;
use crate::streams::{single_connection, websocket};

use compression::CompressLayer;
pub use health::HealthCheck;
pub(crate) use serve::PeerAddress;
pub use serve::{ServerConfig, serve};

/// Where the API is.
const API: &str = "/graphql";

pub(crate) fn router(state: Arc<State>) -> Router {
    let mut router = Router::new()
        .route(API, any(api))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready));
    if state.metrics.is_some() && state.config.metrics.listen.is_empty() {
        router = router.route("/metrics", get(metrics::metrics));
    }
    if state.config.query_page {
        router = router
            .route("/", get(async || Redirect::temporary(API)))
            .route("/graphiql/{name}", get(query_page::asset));
    }
    // One stack over all routes: each layer by itself would box every request's service and future once more.
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(Arc::clone(&state), protect::protect))
        .option_layer(state.config.compression.then(CompressLayer::new))
        .option_layer(cors::layer(&state.config))
        .layer(from_fn_with_state(Arc::clone(&state), request_id::name_request))
        .layer(CatchPanicLayer::custom(panicked));
    router.fallback(nothing_here).layer(layers).with_state(state)
}

/// What operators look at, and clients need not.
pub(crate) fn operator_router(state: &Arc<State>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(Arc::clone(state))
}

async fn api(Shared(state): Shared<Arc<State>>, request: Request) -> Response {
    if websocket::is_wanted(&request) {
        return Box::pin(websocket::upgrade(state, request)).await;
    }
    if single_connection::is_wanted(&request) {
        return Box::pin(single_connection::handle(&state, request)).await;
    }
    if request.method() == Method::OPTIONS {
        return (StatusCode::NO_CONTENT, [(header::ALLOW, pipeline::METHODS)]).into_response();
    }
    if state.config.query_page && query_page::is_wanted(&request) {
        return query_page::page();
    }
    pipeline::run(&state, request).await
}

async fn nothing_here(uri: Uri) -> Response {
    let message = format!("there is nothing at {}; the API is at {API}", uri.path());
    error_response(StatusCode::NOT_FOUND, &[RequestError::new(ErrorCode::NotFound, message)])
}

/// Answers a request whose handler panicked. The panic itself was written to the log by the process's hook.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    let error = RequestError::new(ErrorCode::Internal, "internal server error");
    error_response(StatusCode::INTERNAL_SERVER_ERROR, &[error])
}

/// Errors outside of any GraphQL response, in its shape.
pub(crate) fn error_response(status: StatusCode, errors: &[RequestError]) -> Response {
    let content_type = (header::CONTENT_TYPE, negotiate::MediaType::Json.content_type());
    (status, [content_type], Body::from(errors_body(errors))).into_response()
}

/// The body of a response that has errors and no data.
pub(crate) fn errors_body(errors: &[RequestError]) -> Vec<u8> {
    #[derive(serde::Serialize)]
    struct Errors<'a> {
        errors: &'a [RequestError],
    }
    serde_json::to_vec(&Errors { errors }).expect("errors are strings, numbers and maps with string keys")
}
