//! The bytes of a POST: JSON only, within the limits of size and time.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use bytesize::ByteSize;
use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http_body_util::BodyExt;
use tokio::time::timeout_at;

use super::{Arrival, bad_request};
use crate::http::negotiate::is_utf8;
use crate::pipeline::refusal::Refusal;

/// How many bodies' worth of a body that is too large is read and thrown away, so that the client, still sending, gets
/// to see the answer instead of a broken connection.
const DISCARDED_LIMITS: usize = 16;

/// JSON and nothing else. A foreign page's form cannot have this type, so browsers ask before they send such a request
/// across origins.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let unsupported =
        |message| Refusal::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE", message);
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err(unsupported("the request's body must not be compressed".to_owned()));
    }
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Err(unsupported("send the header `Content-Type: application/json`".to_owned()));
    };
    let text = value.to_str().unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    if !name.eq_ignore_ascii_case("application/json") {
        return Err(unsupported(format!("the request's body must be application/json, not {name:?}")));
    }
    let mut parameters = parts.filter_map(|part| part.split_once('='));
    let charset = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case("charset"));
    match charset.map(|(_, charset)| charset.trim().trim_matches('"')) {
        Some(charset) if !is_utf8(charset) => {
            Err(unsupported(format!("the request's body must be in UTF-8, not in {charset:?}")))
        }
        _ => Ok(()),
    }
}

/// The whole body.
pub(super) async fn read(headers: &HeaderMap, body: Body, arrival: Arrival) -> Result<Bytes, Refusal> {
    let arrived = timeout_at(arrival.deadline.into(), collect(headers, body, arrival.limit)).await;
    arrived.unwrap_or_else(|_| {
        let message = format!("the request did not arrive whole within {} ms", arrival.timeout.as_millis());
        Err(Refusal::malformed(StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT", message))
    })
}

async fn collect(headers: &HeaderMap, mut body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let mut read = BytesMut::with_capacity(announced.unwrap_or(0).min(limit));
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| bad_request("the request's body broke off"))?;
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
    let size = |bytes: usize| ByteSize::b(bytes as u64).display().si().to_string();
    let limited = size(limit);
    let message = match announced {
        // Sizes that look the same when rounded are told exactly.
        Some(length) if size(length) == limited => {
            format!("request too large: {length} bytes, the limit is {limit} bytes")
        }
        Some(length) => format!("request too large: {}, the limit is {limited}", size(length)),
        None => format!("request too large: the limit is {limited}"),
    };
    Refusal::malformed(StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE", message)
}
