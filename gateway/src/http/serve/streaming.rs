//! An answer that streams, written without the HTTP library.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use hyper::body::Body;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::handover::Stream;
use super::line::Line;

/// How much is gathered before it is written.
const GATHERED: usize = 16 * 1024;

/// What is read at once of what the client has no business to say.
const UNHEARD: usize = 512;

/// Done when the body is written, or nobody is left to write it to.
pub(super) struct Streaming<I> {
    line: Line<I>,
    stream: Stream,
    /// What waits for the client. It has no memory while nothing does.
    waiting: BytesMut,
    has_ended: bool,
}

impl<I: AsyncRead + AsyncWrite + Unpin> Streaming<I> {
    pub(super) fn new(line: Line<I>, stream: Stream) -> Self {
        Self { line, stream, waiting: BytesMut::new(), has_ended: false }
    }

    /// Returns when the client has hung up.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut unheard = [0; UNHEARD];
            let mut buffer = ReadBuf::new(&mut unheard);
            ready!(Pin::new(&mut self.line).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let is_idle = !self.gather(cx)?;
            while self.waiting.has_remaining() {
                let written = ready!(Pin::new(&mut self.line).poll_write(cx, &self.waiting))?;
                if written == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                self.waiting.advance(written);
            }
            self.waiting = BytesMut::new();
            if self.has_ended {
                return Pin::new(&mut self.line).poll_shutdown(cx);
            }
            if is_idle {
                ready!(Pin::new(&mut self.line).poll_flush(cx))?;
                return Poll::Pending;
            }
        }
    }

    /// Takes what the body has, up to a limit. False when it has nothing more just now.
    fn gather(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        while !self.has_ended && self.waiting.len() < GATHERED {
            match Pin::new(&mut self.stream.body).poll_frame(cx) {
                Poll::Pending => return Ok(false),
                // Headers behind a body are nothing that a stream has.
                Poll::Ready(Some(frame)) => {
                    let piece = frame.map_err(io::Error::other)?.into_data().unwrap_or_default();
                    self.put(&piece);
                }
                Poll::Ready(None) => {
                    self.has_ended = true;
                    if self.stream.is_chunked {
                        self.waiting.put_slice(b"0\r\n\r\n");
                    }
                }
            }
        }
        Ok(true)
    }

    /// A piece of the body (RFC 9112, §7.1 Chunked Transfer Coding).
    fn put(&mut self, piece: &Bytes) {
        // An empty one would be the end.
        if piece.is_empty() {
            return;
        }
        if !self.stream.is_chunked {
            return self.waiting.put_slice(piece);
        }
        let length = format!("{:X}\r\n", piece.len());
        self.waiting.reserve(length.len() + piece.len() + 2);
        self.waiting.put_slice(length.as_bytes());
        self.waiting.put_slice(piece);
        self.waiting.put_slice(b"\r\n");
    }
}

impl<I: AsyncRead + AsyncWrite + Unpin> Future for Streaming<I> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_gone(cx).is_ready() {
            return Poll::Ready(());
        }
        self.poll_write(cx).map(|_ended| ())
    }
}
