//! Bodies that come compressed. They are unpacked as they are read, so that the limits count what they unpack to.

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use axum::body::Body;
use futures::TryStreamExt;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderValue};
use http::{StatusCode, request::Parts};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::pipeline::refusal::Refusal;

/// What bodies may be compressed with.
const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// The body as it was before it was compressed; the head no longer says that it was.
pub(super) fn decode(parts: &mut Parts, body: Body) -> Result<Body, Refusal> {
    let encodings = encodings(&parts.headers);
    let encoding = match encodings.as_slice() {
        [] => return Ok(body),
        [encoding] => encoding.as_str(),
        _ => return Err(unsupported(&encodings.join(", "))),
    };
    let reader = StreamReader::new(body.into_data_stream().map_err(std::io::Error::other));
    let decoded = match encoding {
        "gzip" | "x-gzip" => Body::from_stream(ReaderStream::new(GzipDecoder::new(reader))),
        "deflate" => Body::from_stream(ReaderStream::new(ZlibDecoder::new(reader))),
        "br" => Body::from_stream(ReaderStream::new(BrotliDecoder::new(reader))),
        "zstd" => Body::from_stream(ReaderStream::new(ZstdDecoder::new(reader))),
        other => return Err(unsupported(other)),
    };
    parts.headers.remove(CONTENT_ENCODING);
    parts.headers.remove(CONTENT_LENGTH);
    Ok(decoded)
}

fn encodings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let names = values.flat_map(|value| value.to_str().unwrap_or("unreadable").split(','));
    let names = names.map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty() && name != "identity").collect()
}

fn unsupported(encoding: &str) -> Refusal {
    let message = format!(
        "the request's body may be compressed by one of {ACCEPTED}, not by {encoding:?}; or send it as it is"
    );
    let refusal =
        Refusal::malformed(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_CONTENT_ENCODING", message);
    Refusal { header: Some((ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED))), ..refusal }
}
