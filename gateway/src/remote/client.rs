//! Connections to subgraphs: kept alive, shared by all calls.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use http::{Request, Response};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::config::RemoteConfig;
use crate::ports::SubgraphFault;
use crate::uploads::UploadError;

/// What is sent to a subgraph: all of it at hand, or a request with files, which come in while it is sent.
pub(super) type Outgoing =
    Either<Full<Bytes>, StreamBody<BoxStream<'static, Result<Frame<Bytes>, UploadError>>>>;

/// The connections of one process to its subgraphs. Cloning shares them.
#[derive(Clone)]
pub struct RemoteClient {
    client: Client<HttpsConnector<HttpConnector>, Outgoing>,
    config: Arc<RemoteConfig>,
}

impl RemoteClient {
    /// A client without connections yet.
    pub fn new(config: RemoteConfig) -> Self {
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(config.connect_timeout));
        let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http();
        let connector = tls.enable_all_versions().wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.idle_timeout)
            .pool_max_idle_per_host(config.idle_connections)
            .http2_only(config.http2)
            .build(connector);
        Self { client, config: Arc::new(config) }
    }

    pub(super) fn config(&self) -> &RemoteConfig {
        &self.config
    }

    pub(super) async fn send(&self, request: Request<Outgoing>) -> Result<Response<Incoming>, SubgraphFault> {
        self.client.request(request).await.map_err(unreachable)
    }
}

pub(super) fn unreachable(error: impl Error + Send + Sync + 'static) -> SubgraphFault {
    SubgraphFault::Unreachable(Arc::new(error))
}
