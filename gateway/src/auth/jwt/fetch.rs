//! Key sets over HTTP or from files.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, Uri};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::config::IssuerConfig;

/// How large a key set may be.
const SIZE_LIMIT: usize = 1024 * 1024;

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum FetchError {
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("could not be reached: {0}")]
    Unreachable(String),
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("the answer broke off or is larger than {SIZE_LIMIT} bytes: {0}")]
    Body(String),
    #[error("the file cannot be read: {0}")]
    File(String),
    #[error("this is no JSON Web Key Set: {0}")]
    NoKeySet(String),
    #[error("the key set has no public key for signatures")]
    NoKeys,
}

/// Connections to issuers, shared by all of them.
pub(super) type HttpClient = Client<HttpsConnector<HttpConnector>, Empty<Bytes>>;

pub(super) fn http_client() -> HttpClient {
    let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http();
    // A fetch in ten minutes keeps no connection.
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build(tls.enable_all_versions().build())
}

/// Where an issuer's keys are.
pub(super) struct KeySource {
    place: Place,
    timeout: Duration,
}

enum Place {
    Url(Uri, Box<HttpClient>),
    File(PathBuf),
}

impl KeySource {
    /// The source that the settings name; they have been checked.
    pub(super) fn new(config: &IssuerConfig, client: &HttpClient, timeout: Duration) -> Self {
        let place = match config.jwks_url.parse() {
            Ok(uri) if !config.jwks_url.is_empty() => Place::Url(uri, Box::new(client.clone())),
            _ => Place::File(PathBuf::from(&config.jwks_file)),
        };
        Self { place, timeout }
    }

    pub(super) const fn is_file(&self) -> bool {
        matches!(self.place, Place::File(_))
    }

    pub(super) async fn fetch(&self) -> Result<Bytes, FetchError> {
        let fetched = async {
            match &self.place {
                Place::File(path) => {
                    let read = tokio::fs::read(path).await;
                    read.map(Bytes::from).map_err(|error| FetchError::File(error.to_string()))
                }
                Place::Url(uri, client) => get(uri, client).await,
            }
        };
        timeout(self.timeout, fetched).await.unwrap_or(Err(FetchError::TimedOut(self.timeout)))
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Url(uri, _) => uri.fmt(f),
            Place::File(path) => path.display().fmt(f),
        }
    }
}

async fn get(uri: &Uri, client: &HttpClient) -> Result<Bytes, FetchError> {
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = uri.clone();
    let accept = "application/jwk-set+json, application/json;q=0.9";
    request.headers_mut().insert(ACCEPT, http::HeaderValue::from_static(accept));
    let response = client.request(request).await;
    let response = response.map_err(|error| FetchError::Unreachable(error.to_string()))?;
    if !response.status().is_success() {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let body = Limited::new(response.into_body(), SIZE_LIMIT).collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|error| FetchError::Body(error.to_string()))
}
