//! `/ws/jobs/{id}`: how a job goes over a plain WebSocket, for those without GraphQL. A client of the gateway in its own
//! process: what it may see, and until when, is decided where it is for everybody.

mod api;
mod close;
mod connection;
mod place;

use std::sync::Arc;

use axum::Router;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use axum::http::{Extensions, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use pulse_gateway::SubscriptionsConfig;
use serde::Deserialize;
use tokio::sync::Semaphore;

use api::Api;
use connection::Connection;

/// Messages of clients: one, with a token.
const MESSAGE_LIMIT: usize = 16 * 1024;

/// What a client's request for a socket says that holds for what is asked on its behalf.
const PASSED_ON: [HeaderName; 4] = [
    AUTHORIZATION,
    HeaderName::from_static("x-api-key"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("user-agent"),
];

/// What all sockets have in common.
struct Sockets {
    /// The gateway's own routes.
    api: Router,
    config: SubscriptionsConfig,
    free: Arc<Semaphore>,
}

#[derive(Deserialize)]
struct Parameters {
    /// The `cursor` of the last message that was heard.
    after: Option<String>,
}

/// The route, beside those of the gateway that `api` has.
pub(crate) fn route(api: Router, config: &SubscriptionsConfig) -> Router {
    let free = Arc::new(Semaphore::new(config.socket_limit.min(Semaphore::MAX_PERMITS)));
    let sockets = Arc::new(Sockets { api, config: config.clone(), free });
    Router::new().route("/ws/jobs/{id}", get(upgrade)).with_state(sockets)
}

async fn upgrade(
    State(sockets): State<Arc<Sockets>>,
    Path(id): Path<String>,
    Query(Parameters { after }): Query<Parameters>,
    request: Request,
) -> Response {
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(refusal) => return refusal.into_response(),
    };
    let Ok(permit) = Arc::clone(&sockets.free).try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sockets are open: try again later\n")
            .into_response();
    };
    let api = Api::new(sockets.api.clone(), passed_on(&parts.headers), extensions(parts.extensions));
    let upgrade = upgrade.max_message_size(MESSAGE_LIMIT).max_frame_size(MESSAGE_LIMIT);
    upgrade.on_upgrade(async move |socket| {
        let _permit = permit;
        Connection::new(socket, api, sockets.config.clone()).serve(&id, after.as_deref()).await;
    })
}

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    headers
        .iter()
        .filter(|(name, _)| PASSED_ON.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Where the client is, and when the process stops. Not the connection, which is the socket's.
fn extensions(mut extensions: Extensions) -> Extensions {
    extensions.remove::<hyper::upgrade::OnUpgrade>();
    extensions.insert(pulse_gateway::MadeHere);
    extensions
}
