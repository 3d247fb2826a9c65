//! A subgraph's answer, from bytes to values. What is not a GraphQL response is a fault that says what it was instead.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::client::fault;
use super::encoding::decompressed;
use crate::config::{RemoteConfig, bytes};
use crate::ports::{SubgraphError, SubgraphFault, SubgraphResponse};
use crate::value::{JsonError, Object, Value};

pub(super) async fn read(
    response: Response<Incoming>,
    config: &RemoteConfig,
) -> Result<SubgraphResponse, SubgraphFault> {
    let (parts, body) = response.into_parts();
    check_content_type(parts.status, &parts.headers)?;
    let limit = bytes(config.response_limit);
    let body = collect(body, &parts.headers, limit).await?;
    let body = decompressed(body, &parts.headers, limit).await?;
    let response = parse(parts.status, &body)?;
    Ok(SubgraphResponse { headers: Arc::new(parts.headers), ..response })
}

fn check_content_type(status: StatusCode, headers: &HeaderMap) -> Result<(), SubgraphFault> {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.to_str().unwrap_or("unreadable"));
    let name = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let is_json = ["application/json", "application/graphql-response+json"];
    if is_json.iter().any(|json| name.eq_ignore_ascii_case(json)) {
        return Ok(());
    }
    let what =
        content_type.map_or_else(|| "no content type".to_owned(), |text| format!("content type {text:?}"));
    Err(SubgraphFault::Malformed(format!("HTTP status {} with {what}", status.as_u16())))
}

async fn collect(mut body: Incoming, headers: &HeaderMap, limit: usize) -> Result<Bytes, SubgraphFault> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(SubgraphFault::TooLarge(limit));
    }
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(fault)?.into_data() else { continue };
        if read.len() + data.len() > limit {
            return Err(SubgraphFault::TooLarge(limit));
        }
        // A small answer comes whole, and needs no other place.
        if announced == Some(data.len()) {
            return Ok(data);
        }
        read.reserve(announced.unwrap_or_default().saturating_sub(read.len()).max(data.len()));
        read.extend_from_slice(&data);
    }
    Ok(read.freeze())
}

fn parse(status: StatusCode, body: &[u8]) -> Result<SubgraphResponse, SubgraphFault> {
    SubgraphResponse::from_json(body)
        .map_err(|what| SubgraphFault::Malformed(format!("HTTP status {} with {what}", status.as_u16())))
}

impl SubgraphResponse {
    /// Reads the body of a response as a subgraph sends it over HTTP. The error says what it is instead of one.
    pub fn from_json(body: &[u8]) -> Result<Self, String> {
        let response = Value::parse(body).map_err(|error| match error {
            JsonError::Utf8(_) => "a body that is not UTF-8".to_owned(),
            error => format!("a body that is not JSON: {error}"),
        })?;
        of_value(response)
    }
}

/// A response as it came in JSON; otherwise what it is instead.
pub(super) fn of_value(response: Value) -> Result<SubgraphResponse, String> {
    let Value::Object(mut response) = response else {
        return Err(format!("{} instead of an object", response.kind()));
    };
    let data = response.remove("data");
    let errors = match response.remove("errors") {
        None | Some(Value::Null) => Vec::new(),
        Some(list @ Value::List(_)) => errors_of(list),
        Some(other) => return Err(format!("`errors` that is {} instead of a list", other.kind())),
    };
    let extensions = response.remove("extensions").filter(|value| value.as_object().is_some());
    let extensions = extensions.unwrap_or_default();
    match data {
        Some(data @ (Value::Null | Value::Object(_))) => {
            Ok(SubgraphResponse { data, errors, extensions, ..SubgraphResponse::default() })
        }
        Some(other) => Err(format!("`data` that is {} instead of an object", other.kind())),
        None if errors.is_empty() => Err("an object that has neither `data` nor `errors`".to_owned()),
        None => Ok(SubgraphResponse { errors, extensions, ..SubgraphResponse::default() }),
    }
}

/// A list of errors.
pub(super) fn errors_of(errors: Value) -> Vec<SubgraphError> {
    match errors {
        Value::List(errors) => errors.into_iter().map(error).collect(),
        other => vec![error(other)],
    }
}

/// Servers differ in how much of an error they send; what is missing is left out.
fn error(value: Value) -> SubgraphError {
    let mut error = match value {
        Value::Object(error) => error,
        Value::String(_) => Object::from_iter([("message".into(), value)]),
        _ => Object::new(),
    };
    let message = error.remove("message");
    let message = message.as_ref().and_then(Value::as_str).unwrap_or("unknown error").to_owned();
    let path = error.remove("path").filter(|path| path.as_list().is_some()).unwrap_or_default();
    let extensions =
        error.remove("extensions").filter(|value| value.as_object().is_some()).unwrap_or_default();
    SubgraphError { message, path, extensions }
}
