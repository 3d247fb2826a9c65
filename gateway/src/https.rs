//! How the gateway asks servers other than its subgraphs, such as a registry.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

/// A client that keeps connections, over TLS where the address says so.
pub(crate) type HttpsClient = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// A client that waits for a connection no longer than this.
pub(crate) fn client(timeout: Duration) -> HttpsClient {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_connect_timeout(Some(timeout));
    let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http();
    let connector = tls.enable_all_versions().wrap_connector(http);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector)
}
