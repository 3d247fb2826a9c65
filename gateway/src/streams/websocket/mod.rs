//! The protocol `graphql-transport-ws`: queries, mutations and subscriptions over one WebSocket connection.
//!
//! It is that of <https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md>; the protocol of the same age that is
//! called `graphql-ws` is not spoken.

mod close;
mod connection;
mod credentials;
mod message;
mod operation;

use std::sync::Arc;

use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::header::{
    CONNECTION, COOKIE, HOST, HeaderMap, HeaderName, ORIGIN, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{StatusCode, Uri};

use super::{Place, kept};
use crate::config::{GatewayConfig, bytes};
use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;
use crate::http::drain::Drain;
use crate::http::{PeerAddress, error_response};

use close::Close;
use connection::Connection;

/// The protocol's name.
const PROTOCOL: &str = "graphql-transport-ws";

/// What a connection keeps for reading: the library fills all of it with zeros whenever it looks for something to read, so
/// all of it is in memory, and thousands of them are open at once. Greater messages are read in several steps.
const READ_BUFFER: usize = 512;

/// How much may wait before it is written though nobody has asked for that.
const WRITE_BUFFER: usize = 4 * 1024;

/// What a request's head says for the handshake alone.
const HANDSHAKE: [HeaderName; 6] = [
    CONNECTION,
    UPGRADE,
    SEC_WEBSOCKET_EXTENSIONS,
    SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION,
];

/// Whether a request wants to become a WebSocket connection.
pub(crate) fn is_wanted(request: &Request) -> bool {
    let upgrade = request.headers().get(UPGRADE).and_then(|value| value.to_str().ok());
    upgrade.is_some_and(|name| name.eq_ignore_ascii_case("websocket"))
        || request.extensions().get::<hyper::ext::Protocol>().is_some()
}

/// Opens the connection.
pub(crate) async fn upgrade(state: Arc<State>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    if is_forged(&parts.headers, &state.config) {
        let message = "pages of this origin may not use the API's cookies; name it in `gateway.cors_origins`, or send \
                       credentials in `connection_init`";
        let error = RequestError::new(ErrorCode::Forbidden, message).because("FOREIGN_ORIGIN");
        return error_response(StatusCode::FORBIDDEN, &[error]);
    }
    let place = match state.streams.places.socket() {
        Ok(place) => place,
        Err(refusal) => return error_response(refusal.status, &refusal.errors),
    };
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
    };
    let drain = parts.extensions.get::<Drain>().cloned().unwrap_or_default();
    let limit = bytes(state.config.subscriptions.message_limit);
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(limit)
        .max_frame_size(limit)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER);
    let speaks = upgrade.selected_protocol().is_some();
    upgrade.on_upgrade(async move |socket| {
        if !speaks {
            return drain.spawn(refuse(socket, place));
        }
        let tracked = drain.clone();
        let opened = (PeerAddress::of(&parts), kept(&without_handshake(parts.headers)));
        tracked.spawn(Connection::new(state, (socket, place), opened, drain).serve());
    })
}

/// Closes the connection of a client that speaks another protocol.
async fn refuse(mut socket: WebSocket, place: Place) {
    let Close { code, reason } = Close::subprotocol_not_acceptable();
    let close = CloseFrame { code, reason: reason.as_ref().into() };
    // The client may have gone already.
    drop(socket.send(Message::Close(Some(close))).await);
    drop(place);
}

/// The head without what concerned the handshake alone.
fn without_handshake(mut headers: HeaderMap) -> HeaderMap {
    for name in HANDSHAKE {
        headers.remove(name);
    }
    headers
}

/// Whether a foreign page might speak here with its visitor's cookies: browsers send them along without asking.
fn is_forged(headers: &HeaderMap, config: &GatewayConfig) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return false };
    if !headers.contains_key(COOKIE) {
        return false;
    }
    let origin = origin.to_str().unwrap_or_default();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let same = origin
        .parse::<Uri>()
        .is_ok_and(|origin| origin.authority().map(http::uri::Authority::as_str) == host && host.is_some());
    let allowed = crate::http::cors::is_allowed(&config.cors_origins, origin);
    !same && !allowed
}
