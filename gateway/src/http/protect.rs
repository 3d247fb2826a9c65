//! Around everything: requests whose head is too large or that a foreign page may have sent are refused unread, and
//! browsers are told how to treat the answers.

use axum::extract::Request;
use axum::response::Response;
use http::header::{self, CONTENT_TYPE, HeaderMap, HeaderValue, UPGRADE};
use http::{Method, StatusCode};

use super::client_address::client_address;
use super::{API, PeerAddress, error_response, query_page};
use crate::config::{ProtectionConfig, bytes};
use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;

/// Content types that a form can send, and so any page.
const OF_FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

/// Names the client by what trusted proxies say, and refuses what is not to be read any further.
pub(super) fn refusal(state: &State, request: &mut Request) -> Option<Response> {
    name_client(state, request);
    let config = &state.config.protection;
    let refusal = large_head(config, request.headers()).or_else(|| {
        let is_page = state.config.query_page && query_page::is_wanted(request);
        let is_asked = request.uri().path() == API && !is_page;
        (config.csrf_for_get && is_asked).then(|| forged_get(config, request)).flatten()
    });
    refusal.map(|(status, error)| error_response(status, &[error]))
}

/// Tells browsers how to treat an answer.
pub(super) fn mark(config: &ProtectionConfig, headers: &mut HeaderMap) {
    // They must take every answer for what its content type says.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html")) {
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    }
    if config.hsts.as_secs() > 0 {
        let value = format!("max-age={}; includeSubDomains", config.hsts.as_secs());
        let value = HeaderValue::try_from(value).expect("a number is a header value");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
}

/// From here on a request comes from whom trusted proxies say that it comes.
fn name_client(state: &State, request: &mut Request) {
    let clients = &state.config.clients;
    let Some(peer) = request.extensions().get::<PeerAddress>().copied() else { return };
    if !clients.trusted_proxies.is_empty() {
        let client = client_address(clients, peer.ip(), request.headers());
        request.extensions_mut().insert(PeerAddress::new(client));
    }
}

fn large_head(config: &ProtectionConfig, headers: &HeaderMap) -> Option<(StatusCode, RequestError)> {
    let too_large = |message: String| {
        let error = RequestError::new(ErrorCode::BadUserInput, message).because("HEADERS_TOO_LARGE");
        Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, error))
    };
    if headers.len() > config.max_headers {
        return too_large(format!(
            "the request has {} headers, the limit is {}",
            headers.len(),
            config.max_headers
        ));
    }
    let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let limit = bytes(config.max_header_size);
    if size > limit {
        return too_large(format!("the request's headers have {size} bytes, the limit is {limit}"));
    }
    None
}

/// A GET with neither a content type that no form can send nor a header that no foreign page can.
fn forged_get(config: &ProtectionConfig, request: &Request) -> Option<(StatusCode, RequestError)> {
    let headers = request.headers();
    // A WebSocket's origin is looked at where it opens.
    if !matches!(*request.method(), Method::GET | Method::HEAD) || headers.contains_key(UPGRADE) {
        return None;
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let name = content_type.split(';').next().unwrap_or_default().trim();
    let asks_first = !name.is_empty() && !OF_FORMS.iter().any(|form| name.eq_ignore_ascii_case(form));
    let proves = |name: &String| headers.get(name).is_some_and(|value| !value.is_empty());
    if asks_first || config.csrf_headers.iter().any(proves) {
        return None;
    }
    let message = format!(
        "a GET needs one of the headers `{}`, with any value, as a proof that no foreign web page sends it",
        config.csrf_headers.join("`, `")
    );
    let error = RequestError::new(ErrorCode::Forbidden, message).because("CSRF_PREVENTION");
    Some((StatusCode::FORBIDDEN, error))
}
