//! Step 1: the request's parameters, out of a POST's body or a GET's URL.

mod body;
mod parameters;

use std::time::{Duration, Instant};

use axum::body::Body;
use http::request::Parts;
use http::{Method, StatusCode};

use super::refusal::Refusal;
use crate::value::{Object, Text, Value};

/// A well-formed GraphQL-over-HTTP request.
#[derive(Debug)]
pub(super) struct GraphqlRequest {
    /// Whether it came by a method that must change nothing.
    pub(super) is_safe: bool,
    /// The document's text.
    pub(super) query: Option<Text>,
    /// The id of a document that is known by it.
    pub(super) document_id: Option<Text>,
    pub(super) operation_name: Option<Text>,
    /// An object, when there are any.
    pub(super) variables: Option<Value>,
    pub(super) extensions: Object,
}

/// What bounds a request's arrival.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrival {
    /// How many bytes a body may have.
    pub(super) limit: usize,
    pub(super) deadline: Instant,
    /// The time between the request's beginning and the deadline, for the message.
    pub(super) timeout: Duration,
}

pub(super) async fn read_request(
    parts: &Parts,
    body: Body,
    arrival: Arrival,
) -> Result<GraphqlRequest, Refusal> {
    match parts.method {
        Method::GET | Method::HEAD => parameters::from_url(parts.uri.query().unwrap_or_default()),
        Method::POST => {
            body::check_content_type(&parts.headers)?;
            let bytes = body::read(&parts.headers, body, arrival).await?;
            parameters::from_json(&bytes)
        }
        _ => Err(Refusal::method(&parts.method)),
    }
}

fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal::malformed(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}
