//! Every request has an id: the client's own, when it is one, or a new one. The response names it.

use axum::extract::Request;
use http::{HeaderName, HeaderValue};
use pulse_types::RequestId;

use crate::gateway::State;

/// The header that carries the id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives a request its id, which goes into its response's head.
pub(super) fn name(state: &State, request: &mut Request) -> HeaderValue {
    let sent = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .and_then(|id| id.parse().ok());
    let id = sent.unwrap_or_else(|| RequestId::new(state.clock.now()));
    request.extensions_mut().insert(id);
    HeaderValue::try_from(id.to_string()).expect("a UUID is a header value")
}
