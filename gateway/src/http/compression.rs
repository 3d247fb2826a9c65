//! Answers that are compressed for clients that accept it.

use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};

/// What is smaller than this fits into one packet as it is.
const WORTH_IT: u64 = 1024;

/// The layer that compresses with what a client likes best of gzip, br, zstd and deflate, as quickly as each of them can.
/// Streams are left alone: their events must not wait for a block to fill.
pub(super) fn layer() -> CompressionLayer<impl Predicate> {
    let worth_it = SizeAbove::new(WORTH_IT)
        .and(NotForContentType::const_new("text/event-stream"))
        .and(NotForContentType::const_new("multipart/mixed"));
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it)
}
