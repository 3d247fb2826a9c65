//! GraphQL over SSE, single connection mode: one event stream carries the answers of many requests. A client reserves a
//! stream (PUT, answered with a token), opens it (GET with the token), sends operations (POST with the token and an
//! `extensions.operationId`, answered with 202) and ends them (DELETE).

mod operation;
mod reservation;

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use pulse_types::RequestId;

use super::Ending;
use super::outlet::Outlet;
use super::response::head;
use crate::auth::Known;
use crate::gateway::State;
use crate::http::PeerAddress;
use crate::http::drain::Drain;
use crate::http::negotiate::{Accepted, MediaType, StreamType};
use crate::pipeline::{Refusal, authenticate, refuse};

pub(crate) use reservation::Reservations;
use reservation::{Opened, Reserved};

/// Names the event stream that a request belongs to.
const TOKEN: HeaderName = HeaderName::from_static("x-graphql-event-stream-token");

/// Whether a request is one of this mode.
pub(crate) fn is_wanted(request: &Request) -> bool {
    matches!(*request.method(), Method::PUT | Method::DELETE)
        || token(request.headers(), request.uri()).is_some()
}

/// Answers one.
pub(crate) async fn handle(state: &Arc<State>, request: Request) -> Response {
    let id = *request.extensions().get::<RequestId>().expect("the router names every request");
    let accepted = Accepted::negotiate(request.headers());
    let media_type = accepted.and_then(|accepted| accepted.once).unwrap_or(MediaType::Json);
    let (parts, body) = request.into_parts();
    let outcome = steps(state, (parts, body), id, accepted).await;
    // A 200 would say that the answer is in the body, which it never is here.
    outcome.unwrap_or_else(|refusal| refuse(media_type, Refusal { well_formed: false, ..refusal }, id))
}

async fn steps(
    state: &Arc<State>,
    (parts, body): (Parts, Body),
    id: RequestId,
    accepted: Option<Accepted>,
) -> Result<Response, Refusal> {
    let deadline = Instant::now() + state.config.request_timeout;
    let known = authenticate(state, (&parts.headers, PeerAddress::of(&parts)), id, deadline).await?;
    if parts.method == Method::PUT {
        return reserve(state, &parts.headers, known);
    }
    let token = token(&parts.headers, &parts.uri).ok_or_else(no_stream)?;
    let reserved = state.streams.reservations.find(&token, &known.caller).ok_or_else(no_stream)?;
    let streams = accepted.and_then(|accepted| accepted.stream) == Some(StreamType::EventStream);
    match parts.method {
        Method::GET if streams && accepted.is_some_and(|accepted| accepted.always_stream) => {
            open(state, &parts, &reserved, &known)
        }
        Method::GET | Method::POST => {
            operation::accept(state, (parts, body), &reserved, known).await?;
            Ok(StatusCode::ACCEPTED.into_response())
        }
        Method::DELETE => {
            let id = parameter(&parts.uri, "operationId").ok_or_else(operation::no_id)?;
            reserved.end(&id);
            Ok(StatusCode::OK.into_response())
        }
        _ => Err(Refusal::method(&parts.method)),
    }
}

fn reserve(state: &Arc<State>, headers: &HeaderMap, known: Known) -> Result<Response, Refusal> {
    if token(headers, &Uri::default()).is_some_and(|token| state.streams.reservations.knows(&token)) {
        let message = "this event stream is reserved already";
        return Err(Refusal::malformed(StatusCode::CONFLICT, "STREAM_EXISTS", message));
    }
    let token = state.streams.reservations.reserve(known.caller)?;
    let (state, expiring) = (Arc::clone(state), token.clone());
    tokio::spawn(async move {
        tokio::time::sleep(state.config.subscriptions.connection_init_timeout).await;
        state.streams.reservations.expire(&expiring);
    });
    let plain = (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok((StatusCode::CREATED, [plain], token).into_response())
}

fn open(
    state: &Arc<State>,
    parts: &Parts,
    reserved: &Arc<Reserved>,
    known: &Known,
) -> Result<Response, Refusal> {
    let Some(waiting) = reserved.open() else {
        let message = "this event stream is open already";
        return Err(Refusal::malformed(StatusCode::CONFLICT, "STREAM_OPEN", message));
    };
    let drain = parts.extensions.get::<Drain>().cloned().unwrap_or_default();
    let watch = state.callers.watch(known);
    let ending = Ending::of_credential(known.expires_at, watch, drain.clone(), &state.clock);
    let (outlet, body) = Outlet::open(state.config.subscriptions.slow_client_timeout);
    let opened = Opened { state: Arc::clone(state), reserved: Arc::clone(reserved), waiting, outlet };
    drain.spawn(opened.run(ending));
    Ok(head(StreamType::EventStream, true, body))
}

fn no_stream() -> Refusal {
    let message = "there is no such event stream; reserve one with PUT and send its token as \
                   `X-GraphQL-Event-Stream-Token`";
    Refusal::malformed(StatusCode::NOT_FOUND, "STREAM_NOT_FOUND", message)
}

fn token(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let header = headers.get(TOKEN).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    header.or_else(|| parameter(uri, "token"))
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value).next()?;
    let value = percent_decode_str(value).decode_utf8().ok()?;
    (!value.is_empty()).then(|| value.into_owned())
}
