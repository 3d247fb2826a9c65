//! Connections to a subgraph: kept alive, shared by all calls.

use std::error::Error;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::stream::BoxStream;
use http::{Request, Response, Uri};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use crate::config::RemoteConfig;
use crate::ports::SubgraphFault;
use crate::tls::{InvalidTls, Watched, client_config};
use crate::uploads::UploadError;

type Https = HttpsConnector<HttpConnector>;

/// A connection to a subgraph.
pub(super) type Stream = Bare<<Https as Service<Uri>>::Response>;

/// A body that comes in while it is sent: a request with files.
pub(super) type Streamed = StreamBody<BoxStream<'static, Result<Frame<Bytes>, UploadError>>>;

/// What is sent to a subgraph.
pub(super) type Outgoing = Either<Full<Bytes>, Streamed>;

/// How large a stream of HTTP/2 may become before the subgraph has to wait.
const HTTP2_WINDOW: u32 = 1024 * 1024;

/// The connections to one subgraph.
pub(super) struct RemoteClient {
    client: Client<Connector, Outgoing>,
}

/// A request that got no response.
pub(super) struct NotSent {
    pub(super) fault: SubgraphFault,
    /// Whether the subgraph surely saw nothing of it.
    pub(super) is_unseen: bool,
}

impl RemoteClient {
    /// A client without connections yet.
    pub(super) fn try_new(uri: &Uri, config: &RemoteConfig) -> Result<Self, InvalidTls> {
        // Over TLS both sides agree on a version.
        let knows_http2 = config.http2 && uri.scheme_str() == Some("http");
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.idle_timeout)
            .pool_max_idle_per_host(config.idle_connections)
            // Queries are short: to copy one behind its head costs less than to hand over two places.
            .http1_writev(false)
            .http2_only(knows_http2)
            .http2_initial_stream_window_size(HTTP2_WINDOW)
            .http2_initial_connection_window_size(4 * HTTP2_WINDOW)
            .http2_keep_alive_interval(config.timeout)
            .http2_keep_alive_timeout(config.timeout)
            .build(Connector::try_new(config)?);
        Ok(Self { client })
    }

    pub(super) async fn send(&self, request: Request<Outgoing>) -> Result<Response<Incoming>, NotSent> {
        self.client.request(request).await.map_err(|error| {
            let is_unseen = error.is_connect();
            NotSent { fault: fault(error), is_unseen }
        })
    }
}

/// Opens connections, with the certificates of now.
#[derive(Clone)]
pub(super) struct Connector {
    https: Arc<Watched<Https>>,
}

impl Connector {
    fn try_new(config: &RemoteConfig) -> Result<Self, InvalidTls> {
        Self::load(config, false)
    }

    /// For WebSocket, which begins as HTTP/1.1.
    pub(super) fn for_sockets(config: &RemoteConfig) -> Result<Self, InvalidTls> {
        Self::load(config, true)
    }

    fn load(config: &RemoteConfig, is_http1: bool) -> Result<Self, InvalidTls> {
        let (tls, connect_timeout) = (config.tls.clone(), config.connect_timeout);
        let paths = [tls.ca_file.clone(), tls.certificate_file.clone(), tls.key_file.clone()];
        let load = move || {
            let mut http = HttpConnector::new();
            http.enforce_http(false);
            http.set_nodelay(true);
            http.set_connect_timeout(Some(connect_timeout));
            let builder = HttpsConnectorBuilder::new().with_tls_config(client_config(&tls)?).https_or_http();
            Ok(if is_http1 {
                builder.enable_http1().wrap_connector(http)
            } else {
                builder.enable_all_versions().wrap_connector(http)
            })
        };
        Ok(Self { https: Arc::new(Watched::try_new(paths, load)?) })
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = <Https as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = Https::clone(&self.https.current()).call(uri);
        Box::pin(async { Ok(Bare(connecting.await?)) })
    }
}

/// A connection that does not tell each answer where it came from.
pub(super) struct Bare<I>(I);

impl<I: Connection> Connection for Bare<I> {
    fn connected(&self) -> Connected {
        let known = Connected::new();
        if self.0.connected().is_negotiated_h2() { known.negotiated_h2() } else { known }
    }
}

impl<I: Read + Unpin> Read for Bare<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<I: Write + Unpin> Write for Bare<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, slices)
    }
}

/// What an error of a connection means.
pub(super) fn fault(error: impl Error + Send + Sync + 'static) -> SubgraphFault {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if current.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return SubgraphFault::Malformed(format!("something that is no HTTP: {current}"));
        }
        cause = current.source();
    }
    SubgraphFault::Unreachable(Arc::new(error))
}
