//! One request for a supergraph, and every way in which it can fail.

use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, LOCATION, RETRY_AFTER, USER_AGENT,
};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use pulse_types::Secret;
use tokio::time::timeout;

use super::signature::Signers;
use crate::config::{SupergraphConfig, bytes};
use crate::https::{self, HttpsClient};

/// How long the server is to wait for something new (RFC 7240 §4.3), and whether it does.
const PREFER: &str = "prefer";
const PREFERENCE_APPLIED: &str = "preference-applied";

/// How often a server may send the request elsewhere.
const REDIRECTS: usize = 5;

/// What names a version to the server that it came from.
#[derive(Debug, Clone, Default)]
pub(super) struct Validators {
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
    /// Whether the server waits for a new version, when it is asked to.
    waits: bool,
}

impl Validators {
    /// Whether the server has waited before it says that nothing changed.
    pub(super) const fn waits(&self) -> bool {
        self.waits && self.etag.is_some()
    }
}

pub(super) enum Answer {
    New { sdl: String, validators: Validators },
    Unchanged,
}

/// Why there was no answer that can be used.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) what: String,
    /// Whether asking again may help.
    pub(super) may_pass: bool,
    /// When the server wants to be asked again.
    pub(super) retry_after: Option<Duration>,
}

impl Failure {
    pub(super) const fn passing(what: String) -> Self {
        Self { what, may_pass: true, retry_after: None }
    }

    const fn lasting(what: String) -> Self {
        Self { what, may_pass: false, retry_after: None }
    }
}

pub(super) struct Fetcher {
    uri: Uri,
    client: HttpsClient,
    authorization: Secret,
    timeout: Duration,
    long_poll: Duration,
    size_limit: usize,
    signers: Signers,
}

impl Fetcher {
    pub(super) fn new(uri: Uri, config: &SupergraphConfig, signers: Signers) -> Self {
        Self {
            uri,
            client: https::client(config.timeout),
            authorization: config.authorization.clone(),
            timeout: config.timeout,
            long_poll: config.long_poll,
            size_limit: bytes(config.size_limit),
            signers,
        }
    }

    pub(super) const fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Asks for a version that is not the known one.
    pub(super) async fn fetch(&self, known: &Validators) -> Result<Answer, Failure> {
        let asking = async {
            let response = self.follow(known).await?;
            match response.status() {
                StatusCode::NOT_MODIFIED => Ok(Answer::Unchanged),
                StatusCode::OK => self.read(response).await,
                status => Err(refused(status, response.headers())),
            }
        };
        let limit = if known.waits() { self.timeout + self.long_poll } else { self.timeout };
        let answer = timeout(limit, asking).await;
        answer.unwrap_or_else(|_| {
            Err(Failure::passing(format!("it did not answer within {} ms", limit.as_millis())))
        })
    }

    /// The answer of the last server that the request is sent on to.
    async fn follow(&self, known: &Validators) -> Result<Response<Incoming>, Failure> {
        let mut uri = self.uri.clone();
        for _ in 0..=REDIRECTS {
            let response = self.client.request(self.request(&uri, known)?).await;
            let response = response.map_err(|error| Failure::passing(deepest(&error)))?;
            let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(target) = response.headers().get(LOCATION).filter(|_| moved) else {
                return Ok(response);
            };
            uri = next_uri(&uri, target)?;
        }
        Err(Failure::lasting(format!("it redirects more than {REDIRECTS} times")))
    }

    fn request(&self, uri: &Uri, known: &Validators) -> Result<Request<Full<Bytes>>, Failure> {
        let mut request = Request::get(uri.clone())
            .header(ACCEPT, "application/graphql, text/plain;q=0.9, */*;q=0.8")
            .header(USER_AGENT, concat!("pulse/", env!("CARGO_PKG_VERSION")));
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        } else if let Some(time) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, time);
        }
        if self.long_poll >= Duration::from_secs(1) {
            request = request.header(PREFER, format!("wait={}", self.long_poll.as_secs()));
        }
        // The credential is for the server that was named, not for where it sends us.
        if !self.authorization.expose().is_empty() && uri.authority() == self.uri.authority() {
            let text = "gateway.supergraph.authorization is no text for a header";
            let mut value = HeaderValue::from_str(self.authorization.expose())
                .map_err(|_| Failure::lasting(text.to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(Full::default()).map_err(|error| Failure::lasting(error.to_string()))
    }

    async fn read(&self, response: Response<Incoming>) -> Result<Answer, Failure> {
        let (parts, body) = response.into_parts();
        let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_some_and(|name| name.trim_start().to_ascii_lowercase().starts_with("text/html")) {
            return Err(Failure::passing("it answered with a web page instead of a supergraph".to_owned()));
        }
        let read = Limited::new(body, self.size_limit).collect().await;
        let body = read.map_err(|error| {
            if error.is::<http_body_util::LengthLimitError>() {
                let limit = self.size_limit;
                Failure::passing(format!(
                    "it answered with more than {limit} bytes; gateway.supergraph.size_limit allows no more"
                ))
            } else {
                Failure::passing(format!("its answer broke off: {}", deepest(&*error)))
            }
        })?;
        let sdl = String::from_utf8(body.to_bytes().into())
            .map_err(|_| Failure::passing("it answered with a body that is not UTF-8".to_owned()))?;
        if sdl.trim().is_empty() {
            return Err(Failure::passing("it answered with an empty body".to_owned()));
        }
        self.signers.check(&parts.headers, &sdl).map_err(Failure::passing)?;
        let header = |name| parts.headers.get(name).cloned();
        let applied = parts.headers.get(PREFERENCE_APPLIED).and_then(|value| value.to_str().ok());
        let waits =
            self.long_poll >= Duration::from_secs(1) && applied.is_some_and(|text| text.contains("wait"));
        Ok(Answer::New {
            sdl,
            validators: Validators { etag: header(ETAG), last_modified: header(LAST_MODIFIED), waits },
        })
    }
}

fn refused(status: StatusCode, headers: &HeaderMap) -> Failure {
    let advice = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => "; check gateway.supergraph.authorization",
        StatusCode::NOT_FOUND | StatusCode::GONE => "; check the URL",
        _ => "",
    };
    let what = format!("it answered with HTTP status {}{advice}", status.as_u16());
    let may_pass = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY
        );
    let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    Failure { what, may_pass, retry_after: seconds.map(Duration::from_secs) }
}

/// Where a redirect leads; never from `https` down to `http`.
fn next_uri(from: &Uri, target: &HeaderValue) -> Result<Uri, Failure> {
    let text = target.to_str().unwrap_or_default();
    let wrong = || Failure::lasting(format!("it redirects to {text:?}, which is no URL to follow"));
    let uri = if text.starts_with('/') && !text.starts_with("//") {
        let mut parts = from.clone().into_parts();
        parts.path_and_query = Some(text.parse().map_err(|_| wrong())?);
        Uri::from_parts(parts).map_err(|_| wrong())?
    } else {
        text.parse::<Uri>().map_err(|_| wrong())?
    };
    match (from.scheme_str(), uri.scheme_str()) {
        (_, Some("https")) | (Some("http"), Some("http")) if uri.host().is_some() => Ok(uri),
        _ => Err(wrong()),
    }
}

/// What is at the bottom of an error, such as a refused connection.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), deepest)
}
