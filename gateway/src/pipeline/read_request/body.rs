//! The bytes of a POST, within the limits of size and time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http_body_util::BodyExt;

use super::{Arrival, bad_request};
use crate::config::UploadsConfig;
use crate::http::negotiate::is_utf8;
use crate::pipeline::csrf;
use crate::pipeline::refusal::Refusal;
use crate::sizes;

/// How many bodies' worth of a body that is too large is read and thrown away, so that the client, still sending, gets
/// to see the answer instead of a broken connection.
const DISCARDED_LIMITS: usize = 16;

/// The reason of every refusal because of size.
pub(super) const TOO_LARGE: &str = "PAYLOAD_TOO_LARGE";

/// The form of a POST's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ContentType {
    Json,
    Multipart { boundary: String },
}

/// JSON, or multipart/form-data. A foreign page's form cannot send JSON, so browsers ask before they do so across
/// origins.
pub(super) fn content_type(headers: &HeaderMap) -> Result<ContentType, Refusal> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Err(unsupported("send the header `Content-Type: application/json`".to_owned()));
    };
    let text = value.to_str().unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    if name.eq_ignore_ascii_case("multipart/form-data") {
        let boundary = multer::parse_boundary(text);
        let boundary = boundary.map_err(|_| bad_request("multipart/form-data must name its boundary"))?;
        return Ok(ContentType::Multipart { boundary });
    }
    if !name.eq_ignore_ascii_case("application/json") {
        return Err(unsupported(format!("the request's body must be application/json, not {name:?}")));
    }
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    let charset = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"));
    match charset.map(|(_, charset)| charset.trim().trim_matches('"')) {
        Some(charset) if !is_utf8(charset) => {
            Err(unsupported(format!("the request's body must be in UTF-8, not in {charset:?}")))
        }
        _ => Ok(ContentType::Json),
    }
}

fn unsupported(message: String) -> Refusal {
    Refusal::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message)
}

/// Whether a request may bring files.
pub(super) fn check_uploads(headers: &HeaderMap, config: &UploadsConfig) -> Result<(), Refusal> {
    if !config.enabled {
        return Err(unsupported("files are not taken here: send application/json".to_owned()));
    }
    csrf::check_form(headers, &config.required_headers)
}

/// The whole body.
pub(super) async fn read(headers: &HeaderMap, body: Body, arrival: Arrival) -> Result<Bytes, Refusal> {
    arrival.within(collect(headers, body, arrival.limit)).await
}

async fn collect(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut read = BytesMut::with_capacity(announced.unwrap_or(0).min(limit));
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            bad_request("the request's body broke off, or is not compressed as its head says")
        })?;
        let Ok(data) = frame.into_data() else { continue };
        length = length.saturating_add(data.len());
        if length <= limit {
            read.extend_from_slice(&data);
        } else if length > limit.saturating_mul(DISCARDED_LIMITS) {
            break;
        }
    }
    if length > limit {
        return Err(too_large(announced, limit));
    }
    Ok(read.freeze())
}

fn too_large(announced: Option<usize>, limit: usize) -> Refusal {
    let limit = limit as u64;
    let message = match announced {
        Some(length) => format!("request too large: {}", sizes::over(length as u64, limit)),
        None => format!("request too large: the limit is {}", sizes::words(limit)),
    };
    Refusal::malformed(StatusCode::PAYLOAD_TOO_LARGE, TOO_LARGE, message)
}
