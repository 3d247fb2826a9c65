//! Compressed bodies: what comes back is decompressed within the limit, what is sent may be compressed.

use std::io;

use async_compression::tokio::bufread::{
    BrotliDecoder, DeflateDecoder, GzipDecoder, GzipEncoder, ZlibDecoder, ZstdDecoder,
};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, HeaderMap};
use tokio::io::{AsyncRead, AsyncReadExt};

use super::upstream::Payload;
use crate::ports::SubgraphFault;

/// Smaller bodies gain nothing by being compressed.
const WORTH_COMPRESSING: usize = 1024;

/// After how many bytes other requests get their turn.
const TURN: usize = 512 * 1024;

/// An encoding of a body (RFC 9110 §8.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Encoding {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "br" => Self::Brotli,
            "zstd" => Self::Zstd,
            _ => return None,
        })
    }
}

/// The body as it was before it was compressed; at most `limit` bytes. A subgraph that compresses without being asked is
/// understood all the same.
pub(super) async fn decompressed(
    body: Bytes,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Bytes, SubgraphFault> {
    if !headers.contains_key(CONTENT_ENCODING) {
        return Ok(body);
    }
    let mut applied = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let names = value.to_str().unwrap_or("unreadable").split(',').map(str::trim);
        for name in names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity")) {
            let unknown = || SubgraphFault::Malformed(format!("a body in the encoding {name:?}"));
            applied.push(Encoding::named(name).ok_or_else(unknown)?);
        }
    }
    // More than two are an attack: each multiplies what the limit lets in.
    if applied.len() > 2 {
        return Err(SubgraphFault::Malformed(format!("a body that is compressed {} times", applied.len())));
    }
    let mut body = body;
    while let Some(encoding) = applied.pop() {
        body = one(body, encoding, limit).await?;
    }
    Ok(body)
}

async fn one(body: Bytes, encoding: Encoding, limit: usize) -> Result<Bytes, SubgraphFault> {
    let bytes = body.as_ref();
    match encoding {
        Encoding::Gzip => read(GzipDecoder::new(bytes), limit).await,
        Encoding::Brotli => read(BrotliDecoder::new(bytes), limit).await,
        Encoding::Zstd => read(ZstdDecoder::new(bytes), limit).await,
        // Some servers leave out the frame that RFC 9110 asks for. It begins with an 8 in the low half of a byte.
        Encoding::Deflate if bytes.first().is_some_and(|first| first & 0x0F == 8) => {
            read(ZlibDecoder::new(bytes), limit).await
        }
        Encoding::Deflate => read(DeflateDecoder::new(bytes), limit).await,
    }
}

async fn read(mut source: impl AsyncRead + Unpin, limit: usize) -> Result<Bytes, SubgraphFault> {
    let broken =
        |error: io::Error| SubgraphFault::Malformed(format!("a body that cannot be decompressed: {error}"));
    let mut out = BytesMut::new();
    let mut turn = TURN;
    while source.read_buf(&mut out).await.map_err(broken)? > 0 {
        if out.len() > limit {
            return Err(SubgraphFault::TooLarge(limit));
        }
        if out.len() > turn {
            turn += TURN;
            tokio::task::yield_now().await;
        }
    }
    Ok(out.freeze())
}

/// Compresses what is sent, where that is worth it.
pub(super) async fn compressed(payload: Payload) -> Payload {
    let Payload::Whole(body) = &payload else { return payload };
    if body.len() < WORTH_COMPRESSING {
        return payload;
    }
    let mut out = Vec::with_capacity(body.len() / 4);
    match GzipEncoder::new(body.as_ref()).read_to_end(&mut out).await {
        Ok(_) => Payload::Gzip(out.into()),
        Err(_) => payload,
    }
}
