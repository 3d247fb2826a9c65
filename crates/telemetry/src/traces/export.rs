//! Sends spans away, beside everything else: what the collector does not take is dropped, never waited for.

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use metrics::counter;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Batch, SpanRecord, TracesConfig, protobuf};

/// How many spans one request carries at most.
const BATCH: usize = 512;

/// Why traces cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TracesError {
    /// The endpoint is no URL.
    #[error("telemetry.traces.endpoint {0:?} is no URL of a collector; write it like http://localhost:4318")]
    Endpoint(String),
    /// The credential cannot be sent.
    #[error("telemetry.traces.authorization is no text for a header; write it like \"Bearer abc\"")]
    Authorization,
    /// The share is none.
    #[error("telemetry.traces.sampling is {0}; write a share from 0 to 1, such as 0.1")]
    Sampling(String),
}

/// Sends spans until it is told to stop.
#[derive(Debug)]
pub struct Exporter {
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<()>,
    patience: Duration,
}

impl Exporter {
    /// Sends what is left, for as long as the collector may take.
    pub async fn shutdown(self) {
        // An error means that it has ended already.
        let _ended = self.stop.send(());
        if timeout(self.patience, self.done).await.is_err() {
            tracing::warn!("the last traces could not be sent in time");
        }
    }

    /// Begins to send, on the runtime in which it is called. `finished` is where spans come from.
    pub(super) fn start(
        config: &TracesConfig,
        finished: mpsc::Receiver<SpanRecord>,
    ) -> Result<Self, TracesError> {
        if !(0.0..=1.0).contains(&config.sampling) {
            return Err(TracesError::Sampling(config.sampling.to_string()));
        }
        let (stop, stopped) = oneshot::channel();
        let sending = Sending::try_new(config, finished)?;
        let done = tokio::spawn(sending.run(config.interval.max(Duration::from_millis(10)), stopped));
        Ok(Self { stop, done, patience: config.timeout })
    }
}

struct Sending {
    finished: mpsc::Receiver<SpanRecord>,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    authorization: Option<HeaderValue>,
    service: String,
    timeout: Duration,
    /// Whether the last request failed, so that a dead collector is told of once.
    fails: bool,
}

impl Sending {
    fn try_new(config: &TracesConfig, finished: mpsc::Receiver<SpanRecord>) -> Result<Self, TracesError> {
        let wrong = || TracesError::Endpoint(config.endpoint.clone());
        let uri: Uri = config.endpoint.parse().map_err(|_| wrong())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        if !is_http || uri.host().is_none_or(str::is_empty) {
            return Err(wrong());
        }
        // The path of OTLP over HTTP, unless another is named.
        let uri = match uri.path() {
            "" | "/" => {
                format!("{}/v1/traces", config.endpoint.trim_end_matches('/')).parse().map_err(|_| wrong())?
            }
            _ => uri,
        };
        let text = config.authorization.expose();
        let authorization = (!text.is_empty()).then(|| HeaderValue::from_str(text)).transpose();
        let authorization = authorization.map_err(|_| TracesError::Authorization)?;
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        let tls = HttpsConnectorBuilder::new().with_webpki_roots().https_or_http();
        let client = Client::builder(TokioExecutor::new()).build(tls.enable_http1().wrap_connector(http));
        let (service, timeout) = (config.service_name.clone(), config.timeout);
        Ok(Self { finished, client, uri, authorization, service, timeout, fails: false })
    }

    async fn run(mut self, every: Duration, mut stopped: oneshot::Receiver<()>) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Batch::new();
        loop {
            let room = BATCH - batch.len();
            tokio::select! {
                // Stopped, or whoever could stop it is gone.
                _ = &mut stopped => break,
                received = self.finished.recv_many(&mut batch, room) => match received {
                    0 => break,
                    _ if batch.len() >= BATCH => self.send(&mut batch).await,
                    _ => {}
                },
                _ = ticks.tick() => self.send(&mut batch).await,
            }
        }
        self.finished.close();
        while self.finished.recv_many(&mut batch, BATCH).await > 0 {
            self.send(&mut batch).await;
        }
        self.send(&mut batch).await;
    }

    async fn send(&mut self, batch: &mut Batch) {
        if batch.is_empty() {
            return;
        }
        let count = batch.len() as u64;
        let body = protobuf::request(&self.service, batch);
        batch.clear();
        let outcome = timeout(self.timeout, self.post(body)).await;
        match outcome.unwrap_or_else(|_| Err("it did not answer in time".to_owned())) {
            Ok(()) => {
                self.fails = false;
                counter!("pulse_traces_exported_total").increment(count);
            }
            Err(error) => {
                counter!("pulse_traces_dropped_total").increment(count);
                if !std::mem::replace(&mut self.fails, true) {
                    tracing::warn!(collector = %self.uri, error, "traces are dropped until the collector takes them");
                }
            }
        }
    }

    async fn post(&self, body: Vec<u8>) -> Result<(), String> {
        let mut request = Request::post(self.uri.clone()).header(CONTENT_TYPE, "application/x-protobuf");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        let response = self.client.request(request).await.map_err(|error| deepest(&error))?;
        let status = response.status();
        // The connection is free for the next request only when the answer has been read.
        let _read = response.into_body().collect().await;
        if status.is_success() { Ok(()) } else { Err(format!("HTTP status {}", status.as_u16())) }
    }
}

fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    error.source().map_or_else(|| error.to_string(), deepest)
}
