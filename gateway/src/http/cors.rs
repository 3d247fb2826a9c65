//! Which foreign web pages may call the API.

use http::{HeaderName, HeaderValue, Method, header};
use tower_http::cors::{AllowOrigin, CorsLayer};

use super::request_id::REQUEST_ID;

/// The layer that lets pages of these origins in; `None` when there are none. Credentials are tokens in a header, which
/// a page must have to send it, so that no cookies are let through.
pub(super) fn layer(origins: &[String]) -> Option<CorsLayer> {
    if origins.is_empty() {
        return None;
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| readable(origin)))
    };
    let headers = [
        header::ACCEPT,
        header::AUTHORIZATION,
        header::CONTENT_TYPE,
        HeaderName::from_static("x-api-key"),
        HeaderName::from_static("x-graphql-event-stream-token"),
        REQUEST_ID,
    ];
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
            .allow_headers(headers)
            .expose_headers([REQUEST_ID]),
    )
}

fn readable(origin: &str) -> Option<HeaderValue> {
    let value = HeaderValue::from_str(origin.trim_end_matches('/')).ok();
    if value.is_none() {
        tracing::warn!(
            ?origin,
            "gateway.cors_origins has text that is no origin; write https://app.example.com"
        );
    }
    value
}
