//! Step 1: the request's parameters, out of a POST's body or a GET's URL.

mod body;
mod decode;
mod multipart;
mod parameters;

use std::future::Future;
use std::time::{Duration, Instant};

use axum::body::Body;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use tokio::time::timeout_at;

use super::refusal::Refusal;
use crate::config::{GatewayConfig, bytes};
use crate::uploads::Uploads;
use crate::value::{Object, Text, Value};

use body::ContentType;
use multipart::Rules;

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
    /// Whether this process made the document, as another face of the API does.
    pub(crate) is_made_here: bool,
    /// Files that the variables refer to.
    pub(crate) uploads: Option<Uploads>,
}

/// What a request asks for.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// One operation.
    One(Box<GraphqlRequest>),
    /// Several. What is wrong with one concerns it alone.
    Batch(Vec<Result<GraphqlRequest, Refusal>>),
}

impl Incoming {
    /// The only operation, for a transport that answers one at a time.
    pub(crate) fn single(self) -> Result<GraphqlRequest, Refusal> {
        match self {
            Self::One(request) => Ok(*request),
            Self::Batch(_) => {
                Err(bad_request("a stream answers one operation: send each in a request of its own"))
            }
        }
    }

    /// The files that came along.
    pub(crate) fn uploads(&self) -> Option<Uploads> {
        match self {
            Self::One(request) => request.uploads.clone(),
            Self::Batch(requests) => requests.iter().flatten().find_map(|request| request.uploads.clone()),
        }
    }
}

/// What bounds a request's arrival.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// How many bytes a body may have.
    limit: usize,
    pub(crate) deadline: Instant,
    /// The time between the request's beginning and the deadline, for the message.
    timeout: Duration,
}

impl Arrival {
    /// Of a request that begins now.
    pub(crate) fn now(config: &GatewayConfig) -> Self {
        let timeout = config.request_timeout;
        Self { limit: bytes(config.body_limit), deadline: Instant::now() + timeout, timeout }
    }

    /// What comes of reading, unless the client takes too long to send.
    async fn within<T>(&self, reading: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
        timeout_at(self.deadline.into(), reading).await.unwrap_or_else(|_| {
            let message = format!("the request did not arrive whole within {} ms", self.timeout.as_millis());
            Err(Refusal::malformed(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message))
        })
    }
}

pub(crate) async fn read_request(
    parts: &mut Parts,
    body: Body,
    config: &GatewayConfig,
    arrival: Arrival,
) -> Result<Incoming, Refusal> {
    match parts.method {
        Method::GET | Method::HEAD => {
            let request = parameters::from_url(parts.uri.query().unwrap_or_default())?;
            Ok(Incoming::One(Box::new(request)))
        }
        Method::POST => {
            let content_type = body::content_type(&parts.headers)?;
            if let ContentType::Multipart { .. } = content_type {
                body::check_uploads(&parts.headers, &config.uploads)?;
            }
            let body = decode::decode(parts, body)?;
            match content_type {
                ContentType::Json => {
                    let bytes = body::read(&parts.headers, body, arrival).await?;
                    parameters::from_value(parameters::json(&bytes, "the request's body")?, &config.batching)
                }
                ContentType::Multipart { boundary } => {
                    let rules = Rules { uploads: &config.uploads, batching: &config.batching };
                    multipart::read(&boundary, body, arrival, rules).await
                }
            }
        }
        _ => Err(Refusal::method(&parts.method)),
    }
}

/// A body that must be JSON, as it came.
pub(crate) async fn read_json(parts: &mut Parts, body: Body, arrival: Arrival) -> Result<Bytes, Refusal> {
    let ContentType::Json = body::content_type(&parts.headers)? else {
        let message = "the request's body must be application/json";
        return Err(Refusal::malformed(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            message,
        ));
    };
    let body = decode::decode(parts, body)?;
    body::read(&parts.headers, body, arrival).await
}

fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal::malformed(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}
