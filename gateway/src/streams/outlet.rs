//! The body of a response that streams, piece by piece, for clients however slow.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use tokio::time::timeout;

use super::End;
use super::queue::{self, queue};

/// How many pieces of a body wait for the connection.
const PIECES: usize = 8;

/// Where the pieces of a body go in.
pub(super) struct Outlet {
    sender: queue::Sender<Bytes>,
    /// Behind all others, also where there is no room for it.
    last: Arc<Mutex<Option<Bytes>>>,
    patience: Duration,
}

/// Why no more pieces can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The client is gone.
    Left,
    /// The client takes nothing. What is sent as the last piece still reaches it, behind what waits already.
    Slow,
}

impl Cut {
    /// The name of the reason, in metrics.
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Left => "CLIENT_LEFT",
            Self::Slow => End::Slow.reason(),
        }
    }
}

impl Outlet {
    /// An outlet for a client that may take so long over a piece, and the body that comes out.
    pub(super) fn open(patience: Duration) -> (Self, Body) {
        let (sender, mut pieces) = queue(PIECES);
        let last = Arc::<Mutex<Option<Bytes>>>::default();
        let farewell = Arc::clone(&last);
        let body = stream::poll_fn(move |context| {
            pieces.poll_recv(context).map(|piece| piece.or_else(|| take(&farewell)).map(Ok::<_, Infallible>))
        });
        (Self { sender, last, patience }, Body::from_stream(body))
    }

    pub(super) async fn send(&self, piece: Bytes) -> Result<(), Cut> {
        let Ok(sent) = timeout(self.patience, self.sender.send(piece)).await else {
            tracing::info!(reason = End::Slow.reason(), "a client read nothing for too long and was cut off");
            return Err(Cut::Slow);
        };
        if sent { Ok(()) } else { Err(Cut::Left) }
    }

    /// Ends the body of a client that is too slow for anything else with this.
    pub(super) fn end_with(&self, piece: Bytes) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(piece);
    }

    /// Returns when the client is gone.
    pub(super) async fn closed(&self) {
        self.sender.closed().await;
    }
}

fn take(last: &Mutex<Option<Bytes>>) -> Option<Bytes> {
    last.lock().unwrap_or_else(PoisonError::into_inner).take()
}
