//! Answers that are compressed for clients that accept it.

use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures::FutureExt;
use futures::future::{Either, Map};
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING};
use tower::{Layer, Service};
use tower_http::CompressionLevel;
use tower_http::compression::predicate::{And, NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{Compression, CompressionBody, CompressionLayer};

/// What is smaller than this fits into one packet as it is.
const WORTH_IT: u64 = 1024;

type WorthIt = And<And<SizeAbove, NotForContentType>, NotForContentType>;

/// Compresses with what a client likes best of gzip, br, zstd and deflate, as quickly as each of them can. Streams are left
/// alone: their events must not wait for a block to fill. So are the answers of clients that accept nothing: a body that
/// might be compressed has room for a compressor, some kilobytes that would be moved about with each answer.
#[derive(Clone)]
pub(super) struct CompressLayer(CompressionLayer<WorthIt>);

impl CompressLayer {
    pub(super) fn new() -> Self {
        let worth_it = SizeAbove::new(WORTH_IT)
            .and(NotForContentType::const_new("text/event-stream"))
            .and(NotForContentType::const_new("multipart/mixed"));
        Self(CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(worth_it))
    }
}

impl<S: Clone> Layer<S> for CompressLayer {
    type Service = Compress<S>;

    fn layer(&self, inner: S) -> Compress<S> {
        Compress { compressing: self.0.layer(inner.clone()), plain: inner }
    }
}

/// An answer that was left as it is, without the room for a compressor: a stream would keep that for hours.
fn unpacked(answer: http::Response<CompressionBody<Body>>) -> Response {
    if answer.headers().contains_key(CONTENT_ENCODING) {
        answer.map(Body::new)
    } else {
        answer.map(CompressionBody::into_inner)
    }
}

/// The service behind the layer.
#[derive(Clone)]
pub(super) struct Compress<S> {
    compressing: Compression<S, WorthIt>,
    plain: S,
}

impl<S> Service<Request> for Compress<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Either<
        S::Future,
        Map<
            <Compression<S, WorthIt> as Service<Request>>::Future,
            fn(Result<http::Response<CompressionBody<Body>>, S::Error>) -> Result<Response, S::Error>,
        >,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.plain.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if request.headers().contains_key(ACCEPT_ENCODING) {
            Either::Right(self.compressing.call(request).map(|answer| Ok(unpacked(answer?))))
        } else {
            Either::Left(self.plain.call(request))
        }
    }
}
