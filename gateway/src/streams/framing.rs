//! How a stream of answers looks in an HTTP response's body.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderValue;

use super::event_stream;
use crate::engine::{ExecutionResult, RequestError};
use crate::http::errors_body;
use crate::http::negotiate::StreamType;

/// Between the parts. Each part is followed by the next one's boundary at once, so that clients see where it ends.
const BOUNDARY: &[u8] = b"\r\n--graphql";
const PART: &[u8] = b"\r\ncontent-type: application/json\r\n\r\n";

impl StreamType {
    pub(crate) const fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::EventStream => "text/event-stream; charset=utf-8",
            Self::Multipart => "multipart/mixed;boundary=\"graphql\";subscriptionSpec=1.0",
        })
    }

    /// Sent at once, so that clients see that the stream is open.
    pub(super) fn opening(self) -> Bytes {
        match self {
            Self::EventStream => event_stream::comment(),
            Self::Multipart => Bytes::from_static(BOUNDARY),
        }
    }

    /// An answer.
    pub(super) fn next(self, result: &ExecutionResult) -> Bytes {
        match self {
            Self::EventStream => event_stream::event_at(result.cursor.as_deref(), "next", &[&result.body]),
            Self::Multipart => part(&[b"{\"payload\":", &result.body, b"}"]),
        }
    }

    /// Why the stream ends here.
    pub(super) fn failed(self, errors: &[RequestError]) -> Bytes {
        let body = errors_body(errors);
        match self {
            Self::EventStream => event_stream::event("next", &[&body]),
            // The protocol's errors stand beside the payload, those of GraphQL inside of it.
            Self::Multipart => part(&[b"{\"payload\":null,", &body[1..]]),
        }
    }

    /// Sent while there is nothing to send.
    pub(super) fn heartbeat(self) -> Bytes {
        match self {
            Self::EventStream => event_stream::comment(),
            Self::Multipart => part(&[b"{}"]),
        }
    }

    /// The end.
    pub(super) fn closing(self) -> Bytes {
        match self {
            Self::EventStream => event_stream::event("complete", &[]),
            Self::Multipart => Bytes::from_static(b"--\r\n"),
        }
    }
}

fn part(body: &[&[u8]]) -> Bytes {
    let length: usize = body.iter().map(|piece| piece.len()).sum();
    let mut out = BytesMut::with_capacity(PART.len() + length + BOUNDARY.len());
    out.put_slice(PART);
    for piece in body {
        out.put_slice(piece);
    }
    out.put_slice(BOUNDARY);
    out.freeze()
}
