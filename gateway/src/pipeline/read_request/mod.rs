//! Step 1: the request's parameters, out of a POST's body or a GET's URL.

mod body;
mod parameters;

use std::time::{Duration, Instant};

use axum::body::Body;
use http::request::Parts;
use http::{Method, StatusCode};

use super::refusal::Refusal;
use crate::config::{GatewayConfig, bytes};
use crate::uploads::Uploads;
use crate::value::{Object, Text, Value};

/// A well-formed GraphQL-over-HTTP request.
#[derive(Debug)]
pub(crate) struct GraphqlRequest {
    /// Whether it came by a method that must change nothing.
    pub(crate) is_safe: bool,
    /// The document's text.
    pub(crate) query: Option<Text>,
    /// The id of a document that is known by it.
    pub(crate) document_id: Option<Text>,
    pub(crate) operation_name: Option<Text>,
    /// An object, when there are any.
    pub(crate) variables: Option<Value>,
    pub(crate) extensions: Object,
    /// Files that the variables refer to.
    pub(crate) uploads: Option<Uploads>,
}

/// What bounds a request's arrival.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// How many bytes a body may have.
    pub(crate) limit: usize,
    pub(crate) deadline: Instant,
    /// The time between the request's beginning and the deadline, for the message.
    pub(crate) timeout: Duration,
}

impl Arrival {
    /// Of a request that begins now.
    pub(crate) fn now(config: &GatewayConfig) -> Self {
        let timeout = config.request_timeout;
        Self { limit: bytes(config.body_limit), deadline: Instant::now() + timeout, timeout }
    }
}

pub(crate) async fn read_request(
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
