//! HTTP: routes, content negotiation, the query page, health, metrics, the server itself.

mod cache_control;
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

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::future::RouteFuture;
use axum::routing::get;
use futures::FutureExt;
use futures::future::{BoxFuture, Either};
use http::{Method, StatusCode, Uri, header};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceBuilder, ServiceExt};

use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;
use crate::pipeline;
use crate::streams::{single_connection, websocket};
use crate::surface::Api;

use compression::CompressLayer;
use request_id::REQUEST_ID;

pub(crate) use cache_control::CacheControl;
pub use health::HealthCheck;
pub(crate) use serve::{LongLived, PeerAddress};
pub use serve::{ServerConfig, client_of, serve};

/// Where the API is.
const API: &str = "/graphql";

/// What answers requests, from their arrival at the gateway to the end of their answers' heads.
#[derive(Clone)]
pub(crate) struct Front {
    state: Arc<State>,
    routes: BoxCloneSyncService<Request, Response, Infallible>,
}

impl Front {
    pub(crate) fn new(state: &Arc<State>) -> Self {
        let layers = ServiceBuilder::new()
            .option_layer(state.config.compression.then(CompressLayer::new))
            .option_layer(cors::layer(&state.config));
        let routes = layers.service(Routes { state: Arc::clone(state), others: others(state) });
        Self { state: Arc::clone(state), routes: BoxCloneSyncService::new(routes) }
    }

    pub(crate) async fn answer(self, mut request: Request) -> Response {
        let Self { state, routes } = self;
        let id = request_id::name(&state, &mut request);
        let mut response = if let Some(refusal) = protect::refusal(&state, &mut request) {
            refusal
        } else {
            let answer = AssertUnwindSafe(routes.oneshot(request)).catch_unwind().await;
            answer.map_or_else(|_| panicked(), |answer| answer.unwrap_or_else(|never| match never {}))
        };
        protect::mark(&state.config.protection, response.headers_mut());
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
}

/// The API, and the routes beside it.
#[derive(Clone)]
struct Routes {
    state: Arc<State>,
    others: Router,
}

impl Service<Request> for Routes {
    type Response = Response;
    type Error = Infallible;
    type Future = Either<RouteFuture<Infallible>, BoxFuture<'static, Result<Response, Infallible>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.uri().path() == API {
            let state = Arc::clone(&self.state);
            return Either::Right(Box::pin(async { Ok(api(state, request).await) }));
        }
        let surface = self.state.surfaces.iter().find(|surface| surface.serves(request.uri().path()));
        if let Some(surface) = surface.map(Arc::clone) {
            let api = Api::new(Arc::clone(&self.state));
            return Either::Right(Box::pin(async move { Ok(surface.answer(api, request).await) }));
        }
        Either::Left(self.others.call(request))
    }
}

fn others(state: &Arc<State>) -> Router {
    let mut router =
        Router::new().route("/health/live", get(health::live)).route("/health/ready", get(health::ready));
    if state.metrics.is_some() && state.config.metrics.listen.is_empty() {
        router = router.route("/metrics", get(metrics::metrics));
    }
    if state.config.query_page {
        router = router
            .route("/", get(async || Redirect::temporary(API)))
            .route("/graphiql/{name}", get(query_page::asset));
    }
    router.fallback(nothing_here).with_state(Arc::clone(state))
}

/// What operators look at, and clients need not.
pub(crate) fn operator_router(state: &Arc<State>) -> Router {
    Router::new()
        .route("/metrics", get(metrics::metrics))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .with_state(Arc::clone(state))
}

async fn api(state: Arc<State>, request: Request) -> Response {
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
fn panicked() -> Response {
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
