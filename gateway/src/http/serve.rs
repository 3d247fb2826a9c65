//! The server: connections with limits, and a stop that lets requests under way finish.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use super::drain::Drain;
use crate::config::GatewayConfig;

/// How many requests one HTTP/2 connection may have under way.
const STREAMS_PER_CONNECTION: u32 = 200;

/// How large a request's head may be.
const HEAD_LIMIT: usize = 64 * 1024;

/// What bounds the server's connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfig {
    /// How long a client may take to send a request's head, and how long an idle connection is kept.
    pub header_timeout: Duration,
    /// How many connections are open at once; further ones wait to be accepted.
    pub connection_limit: usize,
    /// How long requests under way may still take after the signal to stop.
    pub drain_timeout: Duration,
}

impl From<&GatewayConfig> for ServerConfig {
    fn from(config: &GatewayConfig) -> Self {
        let &GatewayConfig { header_timeout, connection_limit, drain_timeout, .. } = config;
        Self { header_timeout, connection_limit, drain_timeout }
    }
}

/// Serves `router` until `shutdown` is done, then lets requests under way finish for as long as the configuration says.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    config: ServerConfig,
    shutdown: impl Future<Output = ()>,
) {
    let connections = Arc::new(Semaphore::new(config.connection_limit));
    let builder = builder(&config);
    let graceful = GracefulShutdown::new();
    let drain = Drain::default();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = async {
            let permit =
                Arc::clone(&connections).acquire_owned().await.expect("the semaphore is never closed");
            (accept(&listener).await, permit)
        };
        let (stream, permit) = tokio::select! {
            () = &mut shutdown => break,
            accepted = accepted => accepted,
        };
        let draining = drain.clone();
        let service =
            TowerToHyperService::new(router.clone().map_request(move |mut request: hyper::Request<_>| {
                request.extensions_mut().insert(draining.clone());
                request.map(Body::new)
            }));
        let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).into_owned();
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // An error here is a client that broke off or sent no HTTP: nobody is left to be told.
            let _ended: Result<(), _> = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    let ended = async { tokio::join!(graceful.shutdown(), drain.drain()) };
    if timeout(config.drain_timeout, ended).await.is_err() {
        tracing::warn!(after = ?config.drain_timeout, "requests were still under way when the gateway stopped");
    }
}

fn builder(config: &ServerConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(config.header_timeout)
        .max_buf_size(HEAD_LIMIT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_PER_CONNECTION)
        .keep_alive_interval(config.header_timeout)
        .keep_alive_timeout(config.header_timeout);
    builder
}

/// The next connection. Running out of file descriptors passes; until then the loop must not spin.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are written whole: waiting for more to send would only delay them.
                let _best_effort = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                tracing::error!(%error, "a connection could not be accepted");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
