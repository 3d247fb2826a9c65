//! One connection, from its handshake to its end.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, TryFutureExt};
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::PeerAddress;
use super::slots::{Busy, Slot};
use super::stalls::Stalls;
use crate::http::drain::Drain;
use crate::tls::Watched;

/// How long a connection that is told to end may take to say so to its client.
const FAREWELL: Duration = Duration::from_secs(1);

/// What all connections share.
pub(super) struct Server {
    pub(super) router: Router,
    pub(super) builder: Builder<TokioExecutor>,
    pub(super) tls: Watched<Option<Arc<rustls::ServerConfig>>>,
    /// How long a client may be silent, or take nothing of what is sent to it.
    pub(super) patience: Duration,
    pub(super) drain: Drain,
}

pub(super) async fn run(server: Arc<Server>, stream: TcpStream, slot: Slot) {
    let Some(tls) = server.tls.current().as_ref().clone() else {
        return converse(&server, stream, slot).await;
    };
    let handshake = timeout(server.patience, TlsAcceptor::from(tls).accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = slot.unwanted() => return,
        () = server.drain.begun() => return,
    };
    // An error here is a client that speaks no TLS, or shows no certificate that is good.
    if let Ok(Ok(stream)) = shaken {
        // Boxed, so that connections without TLS do not take the room for its state.
        Box::pin(converse(&server, stream, slot)).await;
    }
}

async fn converse(server: &Server, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, slot: Slot) {
    let slot = Arc::new(slot);
    let (io, stalled) = Stalls::new(io);
    let (router, asked, drain) = (server.router.clone(), Arc::clone(&slot), server.drain.clone());
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(drain.clone());
        request.extensions_mut().insert(PeerAddress::new(asked.address()));
        let busy = asked.busy();
        let answer = router.clone().oneshot(request.map(Body::new));
        answer.map_ok(|response| response.map(|body| Answer { body, _busy: busy }))
    });
    let mut connection = pin!(server.builder.serve_connection_with_upgrades(TokioIo::new(io), service));
    // Polled only when one of them has come, and not with every step of a request.
    let mut events = FuturesUnordered::new();
    events.push(
        async {
            server.drain.begun().await;
            Event::Draining
        }
        .boxed(),
    );
    events.push(
        async {
            slot.unwanted().await;
            Event::Unwanted
        }
        .boxed(),
    );
    events.push(look_in(server.patience));
    let mut is_ending = false;
    loop {
        let event = tokio::select! {
            biased;
            // An error here is a client that broke off or sent no HTTP: nobody is left to be told.
            _ended = connection.as_mut() => return,
            event = events.select_next_some() => event,
        };
        match event {
            Event::Draining => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            Event::Unwanted => return,
            Event::Look => {
                let quiet = slot.quiet_for().unwrap_or_default();
                if stalled.for_at_least(server.patience) || (is_ending && quiet >= FAREWELL) {
                    return;
                }
                events.push(look_in(if quiet >= server.patience {
                    is_ending = true;
                    connection.as_mut().graceful_shutdown();
                    FAREWELL
                } else {
                    server.patience.saturating_sub(quiet).max(Duration::from_millis(1))
                }));
            }
        }
    }
}

/// What concerns a connection beside what its client sends.
enum Event {
    /// The server stops.
    Draining,
    /// Somebody else needs its place.
    Unwanted,
    /// It is time to see whether the client is still there.
    Look,
}

fn look_in(time: Duration) -> BoxFuture<'static, Event> {
    async move {
        sleep(time).await;
        Event::Look
    }
    .boxed()
}

/// An answer's body. Its request is under way until this is handed over or given up.
struct Answer {
    body: Body,
    _busy: Busy,
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
