//! Notices a client that does not take what is sent to it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that remembers since when it cannot be written to.
pub(super) struct Stalls<I> {
    io: I,
    stalled: Stalled,
}

/// Since when a connection cannot be written to.
#[derive(Clone)]
pub(super) struct Stalled {
    began: Instant,
    /// Milliseconds since `began`, plus one; zero while it can.
    since: Arc<AtomicU64>,
}

impl Stalled {
    pub(super) fn for_at_least(&self, time: Duration) -> bool {
        match self.since.load(Ordering::Relaxed) {
            0 => false,
            since => self.began.elapsed() >= Duration::from_millis(since - 1) + time,
        }
    }

    fn note<T>(&self, outcome: Poll<T>) -> Poll<T> {
        let since = self.since.load(Ordering::Relaxed);
        if outcome.is_ready() {
            if since != 0 {
                self.since.store(0, Ordering::Relaxed);
            }
        } else if since == 0 {
            let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
            self.since.store(now + 1, Ordering::Relaxed);
        }
        outcome
    }
}

impl<I> Stalls<I> {
    pub(super) fn new(io: I) -> (Self, Stalled) {
        let stalled = Stalled { began: Instant::now(), since: Arc::default() };
        (Self { io, stalled: stalled.clone() }, stalled)
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Stalls<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Stalls<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, bytes);
        self.stalled.note(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, bytes);
        self.stalled.note(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}
