//! Requests to issuers: to addresses that were looked at, with an end, and without following redirects.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::header::{ACCEPT, HOST, HeaderValue, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use pulse_outbound::{ConnectError, Outlet};
use tokio::task::JoinSet;
use url::{Position, Url};

/// How much of an answer's head is read.
const MAX_HEAD: usize = 32 * 1024;

/// Why an issuer did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The issuer's description names an address that is none, or one without TLS.
    #[error("{0:?} is no address that may be called")]
    Address(String),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the connection ended without an answer: {0}")]
    Connection(#[from] hyper::Error),
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("it answers with the status {0}")]
    Failing(StatusCode),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer cannot be read: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
}

/// Sends requests of the library.
#[derive(Clone)]
pub(super) struct HttpClient {
    pub(super) outlet: Outlet,
    pub(super) allow_http: bool,
    pub(super) timeout: Duration,
    pub(super) max_answer: usize,
}

impl HttpClient {
    /// One request, and its whole answer.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let timed = tokio::time::timeout(self.timeout, self.exchange(request)).await;
        timed.unwrap_or(Err(HttpError::TimedOut(self.timeout)))
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let text = request.uri().to_string();
        let url = Url::parse(&text).ok();
        let url = url.filter(|url| url.scheme() == "https" || (self.allow_http && url.scheme() == "http"));
        let url = url.ok_or(HttpError::Address(text))?;
        let stream = self.outlet.connect(&url).await?;
        let handshake = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake?;
        // Dropped with this exchange, which ends the connection.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let response = sender.send_request(as_sent(&url, request)?).await?;
        if response.status().is_server_error() {
            return Err(HttpError::Failing(response.status()));
        }
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, self.max_answer).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                HttpError::TooLong(self.max_answer)
            } else {
                HttpError::Body(error)
            }
        })?;
        Ok(HttpResponse::from_parts(parts, body.to_bytes().to_vec()))
    }
}

/// The request as it goes to the one host that the connection leads to.
fn as_sent(url: &Url, request: HttpRequest) -> Result<Request<Full<Bytes>>, HttpError> {
    let bad = || HttpError::Address(url.to_string());
    let (mut parts, body) = request.into_parts();
    parts.uri = url[Position::BeforePath..Position::AfterQuery].parse().map_err(|_| bad())?;
    let host = &url[Position::BeforeHost..Position::AfterPort];
    parts.headers.insert(HOST, HeaderValue::from_str(host).map_err(|_| bad())?);
    parts.headers.insert(USER_AGENT, HeaderValue::from_static(concat!("Pulse/", env!("CARGO_PKG_VERSION"))));
    parts.headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
    Ok(Request::from_parts(parts, Full::new(Bytes::from(body))))
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;

    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
