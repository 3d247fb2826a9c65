//! An answer that streams, from the HTTP library to the connection's own hands.
//!
//! The library keeps two buffers of 8 KiB for each HTTP/1 connection, which a stream of a few events an hour has no use for.
//! So it writes such an answer's head alone, and is let go of; the body is written without it, and the connection ends with
//! the body, which the head says.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONNECTION, HeaderValue};
use http::{Method, Version};
use hyper::body::{Frame, Incoming, SizeHint};

use super::slots::Busy;

/// Marks a response whose body is a stream that may last for hours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LongLived;

/// Where one connection's stream is while the library writes its head.
#[derive(Clone, Default)]
pub(super) struct Handover(Arc<Mutex<Option<Waiting>>>);

struct Waiting {
    stream: Stream,
    /// Whether the library has asked for the body, so that the head is written or on its way.
    is_begun: bool,
}

/// The body of an answer that streams.
pub(super) struct Stream {
    pub(super) body: Answer,
    /// Whether its pieces have their lengths before them.
    pub(super) is_chunked: bool,
}

/// An answer's body. Its request is under way until this is handed over or given up.
pub(super) struct Answer {
    body: Body,
    _busy: Busy,
}

/// What stands in the body's place until the library is let go of.
struct Absent(Handover);

/// What of a request decides how its answer may be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    version: Version,
    has_body: bool,
}

impl Asked {
    pub(super) fn of(request: &hyper::Request<Incoming>) -> Self {
        Self { version: request.version(), has_body: request.method() != Method::HEAD }
    }
}

impl Answer {
    pub(super) const fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl Handover {
    /// The response for the library to write: with its body, or without it where that is kept for the connection.
    pub(super) fn keep(&self, asked: Asked, response: Response, busy: Busy) -> Response {
        let is_alone = matches!(asked.version, Version::HTTP_10 | Version::HTTP_11);
        let is_kept = response.extensions().get::<LongLived>().is_some() && is_alone && asked.has_body;
        let (mut head, body) = response.into_parts();
        let body = Answer::new(body, busy);
        if !is_kept {
            return Response::from_parts(head, Body::new(body));
        }
        head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
        let stream = Stream { body, is_chunked: asked.version == Version::HTTP_11 };
        *self.lock() = Some(Waiting { stream, is_begun: false });
        Response::from_parts(head, Body::new(Absent(self.clone())))
    }

    /// The stream, once its head is written, which it is when the library waits and nothing keeps it from writing.
    pub(super) fn take(&self) -> Option<Stream> {
        self.lock().take_if(|waiting| waiting.is_begun).map(|waiting| waiting.stream)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl hyper::body::Body for Absent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if let Some(waiting) = &mut *self.0.lock() {
            waiting.is_begun = true;
        }
        // The connection looks after each step of the library's whether it was asked for.
        Poll::Pending
    }
}

impl hyper::body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
