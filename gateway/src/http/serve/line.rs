//! A connection's socket, and whether the client takes what is sent to it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket that remembers since when it cannot be written to. Its clones are the same socket: whoever hands it to a library
/// can go on with it when the library is done. At any time one of them alone reads and writes.
pub(super) struct Line<I>(Arc<Shared<I>>);

struct Shared<I> {
    io: Mutex<I>,
    began: Instant,
    /// Milliseconds since `began`, plus one; zero while it can.
    stalled_since: AtomicU64,
}

impl<I> Line<I> {
    pub(super) fn new(io: I) -> Self {
        Self(Arc::new(Shared { io: Mutex::new(io), began: Instant::now(), stalled_since: AtomicU64::new(0) }))
    }

    /// Whether the client takes nothing just now.
    pub(super) fn is_stalled(&self) -> bool {
        self.0.stalled_since.load(Ordering::Relaxed) != 0
    }

    pub(super) fn is_stalled_for(&self, time: Duration) -> bool {
        match self.0.stalled_since.load(Ordering::Relaxed) {
            0 => false,
            since => self.0.began.elapsed() >= Duration::from_millis(since - 1) + time,
        }
    }

    fn note<T>(&self, outcome: Poll<T>) -> Poll<T> {
        let stalled = &self.0.stalled_since;
        let since = stalled.load(Ordering::Relaxed);
        if outcome.is_ready() {
            if since != 0 {
                stalled.store(0, Ordering::Relaxed);
            }
        } else if since == 0 {
            let now = u64::try_from(self.0.began.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
            stalled.store(now + 1, Ordering::Relaxed);
        }
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, I> {
        self.0.io.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I> Clone for Line<I> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Line<I> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Line<I> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut *self.lock()).poll_write(cx, bytes);
        self.note(outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut *self.lock()).poll_write_vectored(cx, bytes);
        self.note(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}
