//! One request to a receiver: it goes to an address that was looked at, and nowhere else.

pub(crate) mod signature;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HOST, USER_AGENT};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use pulse_outbound::{ConnectError, Outlet, Reach, Stream, connector};
use pulse_types::Secret;
use tokio::task::JoinSet;
use url::{Position, Url};

pub use pulse_outbound::{InvalidCaFile, Resolve, SystemResolver};

use crate::config::WebhookConfig;
use crate::webhook::{WebhookError, address};

/// How much of an answer's head is read.
const MAX_HEAD: usize = 16 * 1024;

/// How much of a refusal is kept with the delivery.
const MAX_EXCERPT: usize = 200;

/// Something to send.
pub(crate) struct Message {
    pub(crate) url: String,
    /// The header `webhook-id`.
    pub(crate) id: String,
    /// The header `webhook-timestamp`, in seconds.
    pub(crate) timestamp: i64,
    pub(crate) body: String,
    /// What it is signed with: one, or two while the old one is good too.
    pub(crate) secrets: Vec<Secret>,
}

/// Why nothing was delivered. The texts are shown to those who may see the webhook.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error(transparent)]
    Address(#[from] WebhookError),
    #[error("the signing secret cannot be used: rotate it")]
    Secret(#[from] signature::InvalidSecret),
    /// The log says more: which key it is, is for operators alone.
    #[error(
        "the signing secret cannot be read with the encryption keys of this installation: tell its operator, or rotate it"
    )]
    Sealed,
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the connection ended without an answer")]
    Connection(#[source] hyper::Error),
    #[error("no answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    #[error("redirects are not followed: it answered {status}; give the address that it leads to")]
    Redirect { status: u16 },
    #[error("it answered {status}{}", said(excerpt))]
    Refused { status: u16, excerpt: String },
}

impl SendError {
    /// The status of the answer, when there was one.
    pub(crate) const fn status(&self) -> Option<u16> {
        match self {
            Self::Redirect { status } | Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}

fn said(excerpt: &str) -> String {
    if excerpt.is_empty() { String::new() } else { format!(": {excerpt}") }
}

/// Sends messages.
pub(crate) struct Sender {
    config: Arc<WebhookConfig>,
    outlet: Outlet,
}

impl Sender {
    pub(crate) fn try_new(
        config: Arc<WebhookConfig>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, InvalidCaFile> {
        let tls = connector("operations.webhooks.ca_file", &config.ca_file)?;
        let outlet = Outlet::new(Reach::Public(config.allowed_networks.clone()), resolver, tls);
        Ok(Self { config, outlet })
    }

    /// Sends it once; the status of the answer when it is from 200 to 299.
    pub(crate) async fn send(&self, message: Message) -> Result<u16, SendError> {
        let limit = self.config.timeout;
        tokio::time::timeout(limit, self.attempt(message)).await.unwrap_or(Err(SendError::TimedOut(limit)))
    }

    async fn attempt(&self, message: Message) -> Result<u16, SendError> {
        // The settings may have changed since the webhook was made.
        let url = address::parse(&message.url, &self.config)?;
        let request = request(&url, message)?;
        let stream = self.outlet.connect(&url).await?;
        self.exchange(stream, request).await
    }

    async fn exchange(
        &self,
        stream: Box<dyn Stream>,
        request: Request<Full<Bytes>>,
    ) -> Result<u16, SendError> {
        let handshake = http1::Builder::new().max_buf_size(MAX_HEAD).handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(SendError::Connection)?;
        // Dropped with this attempt, which ends the connection.
        let mut driver = JoinSet::new();
        driver.spawn(connection);
        let response = sender.send_request(request).await.map_err(SendError::Connection)?;
        let status = response.status();
        if status.is_success() {
            return Ok(status.as_u16());
        }
        if status.is_redirection() {
            return Err(SendError::Redirect { status: status.as_u16() });
        }
        Err(self.refused(status, response.into_body()).await)
    }

    /// What a refusal says, as far as it is read at all.
    async fn refused(&self, status: StatusCode, mut body: Incoming) -> SendError {
        let limit = usize::try_from(self.config.max_answer.as_u64()).unwrap_or(usize::MAX);
        let mut read = BytesMut::new();
        while read.len() < limit {
            let Some(Ok(frame)) = body.frame().await else { break };
            if let Some(data) = frame.data_ref() {
                read.extend_from_slice(&data[..data.len().min(limit - read.len())]);
            }
        }
        SendError::Refused { status: status.as_u16(), excerpt: excerpt(&read) }
    }
}

fn request(url: &Url, message: Message) -> Result<Request<Full<Bytes>>, SendError> {
    let Message { url: _, id, timestamp, body, secrets } = message;
    let signature = signature::signatures(&secrets, (&id, timestamp, &body))?;
    Request::post(&url[Position::BeforePath..Position::AfterQuery])
        .header(HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, concat!("Pulse-Webhooks/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| SendError::Address(WebhookError::NoUrl))
}

/// The beginning of an answer in one line, without what could confuse a terminal or a page.
fn excerpt(read: &[u8]) -> String {
    let text = String::from_utf8_lossy(read);
    let line = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    line.collect::<Vec<_>>().join(" ").chars().take(MAX_EXCERPT).collect()
}
