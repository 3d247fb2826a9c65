//! One connection, from its handshake to its end.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt, TryFutureExt};
use hyper::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::PeerAddress;
use super::handover::{Asked, Handover, Stream};
use super::line::Line;
use super::slots::Slot;
use super::streaming::Streaming;
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
    match server.tls.current().as_ref().clone() {
        None => converse(&server, stream, slot).await,
        // Boxed, so that connections without TLS do not take the room for its state.
        Some(tls) => Box::pin(secure(&server, tls, stream, slot)).await,
    }
}

async fn secure(server: &Server, tls: Arc<rustls::ServerConfig>, stream: TcpStream, slot: Slot) {
    let handshake = timeout(server.patience, TlsAcceptor::from(tls).accept(stream));
    let shaken = tokio::select! {
        shaken = handshake => shaken,
        () = slot.unwanted() => return,
        () = server.drain.begun() => return,
    };
    // An error here is a client that speaks no TLS, or shows no certificate that is good.
    if let Ok(Ok(stream)) = shaken {
        converse(server, stream, slot).await;
    }
}

async fn converse(server: &Server, io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, slot: Slot) {
    let line = Line::new(io);
    let Some(stream) = answer(server, &line, slot).await else { return };
    // It ends with its stream, in the stream's own words, whatever else concerns the connection.
    let mut streaming = Streaming::new(line.clone(), stream);
    loop {
        tokio::select! {
            () = &mut streaming => return,
            () = sleep(server.patience) => if line.is_stalled_for(server.patience) { return },
        }
    }
}

/// Answers requests until the connection ends, or until one of the answers is a stream.
async fn answer<I>(server: &Server, line: &Line<I>, slot: Slot) -> Option<Stream>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let slot = Arc::new(slot);
    let handover = Handover::default();
    let (router, whose, drain) = (server.router.clone(), Arc::clone(&slot), server.drain.clone());
    let given = handover.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(drain.clone());
        request.extensions_mut().insert(PeerAddress::new(whose.address()));
        let (busy, given, asked) = (whose.busy(), given.clone(), Asked::of(&request));
        let answer = router.clone().oneshot(request.map(Body::new));
        answer.map_ok(move |response| given.keep(asked, response, busy))
    });
    // Boxed, since a stream goes on without it.
    let connection = server.builder.serve_connection_with_upgrades(TokioIo::new(line.clone()), service);
    let mut connection = Box::pin(connection);
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
            stream = handed_over(connection.as_mut(), &handover, line) => return stream,
            event = events.select_next_some() => event,
        };
        match event {
            Event::Draining => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            Event::Unwanted => return None,
            Event::Look => {
                let quiet = slot.quiet_for().unwrap_or_default();
                if line.is_stalled_for(server.patience) || (is_ending && quiet >= FAREWELL) {
                    return None;
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

/// The stream of which `connection` has written the head. `None` when the connection has ended: an error is a client that
/// broke off or sent no HTTP, and nobody is left to be told.
async fn handed_over<C: Future, I>(
    mut connection: Pin<&mut C>,
    handover: &Handover,
    line: &Line<I>,
) -> Option<Stream> {
    poll_fn(|cx| {
        if connection.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        let stream = if line.is_stalled() { None } else { handover.take() };
        stream.map_or(Poll::Pending, |stream| Poll::Ready(Some(stream)))
    })
    .await
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
