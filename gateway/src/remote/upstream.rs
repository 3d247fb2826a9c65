//! One call to a subgraph: attempt after attempt, as long as it may be repeated and its time is not over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use metrics::counter;
use pulse_types::Clock;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout, timeout_at};

use super::breaker::Breaker;
use super::client::{NotSent, Outgoing, RemoteClient, Streamed};
use super::encoding;
use super::response;
use super::retries::{Budget, backoff, retry_after};
use crate::config::RemoteConfig;
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::tls::InvalidTls;
use crate::trace;

/// A subgraph as one that is called: where it is, and how it fared lately.
pub(super) struct Upstream {
    pub(super) name: Arc<str>,
    pub(super) config: RemoteConfig,
    uri: Uri,
    client: RemoteClient,
    breaker: Breaker,
    budget: Budget,
    slots: Option<Semaphore>,
    accept_encoding: Option<HeaderValue>,
    clock: Clock,
}

/// What is sent.
pub(super) struct Call<'a> {
    /// Makes the head, for each attempt anew.
    pub(super) head: &'a (dyn Fn() -> HeaderMap + Send + Sync),
    pub(super) payload: Payload,
    /// Whether it does no harm to send it twice.
    pub(super) is_repeatable: bool,
}

/// A body.
pub(super) enum Payload {
    Whole(Bytes),
    /// The same, compressed.
    Gzip(Bytes),
    /// One that is gone once it is sent.
    Once(Mutex<Option<Streamed>>),
}

/// How an attempt went.
struct Attempt {
    outcome: Result<SubgraphResponse, SubgraphFault>,
    status: Option<StatusCode>,
    /// For how long the subgraph asks to be left alone.
    wait: Option<Duration>,
    /// Whether the subgraph surely saw nothing of it.
    is_unseen: bool,
}

impl Upstream {
    pub(super) fn try_new(
        name: &str,
        uri: Uri,
        config: RemoteConfig,
        clock: Clock,
    ) -> Result<Self, InvalidTls> {
        let names = config.accept_encodings.join(", ");
        let slots = config.concurrent_calls;
        Ok(Self {
            name: name.into(),
            client: RemoteClient::try_new(&uri, &config)?,
            uri,
            breaker: Breaker::new(name, config.breaker.clone()),
            budget: Budget::new(&config.retries),
            slots: (slots > 0).then(|| Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            accept_encoding: HeaderValue::try_from(names).ok().filter(|names| !names.is_empty()),
            config,
            clock,
        })
    }

    /// Calls the subgraph, in the time that its settings give and not past `deadline`.
    pub(super) async fn call(
        &self,
        mut call: Call<'_>,
        deadline: Instant,
    ) -> Result<SubgraphResponse, SubgraphFault> {
        let Some(leave) = self.breaker.ask() else { return Err(SubgraphFault::CircuitOpen) };
        if self.config.compress_requests {
            call.payload = encoding::compressed(call.payload).await;
        }
        let started = Instant::now();
        // What comes from the client while it is sent takes as long as the client does.
        let is_whole = call.is_there_still();
        let own = started + self.config.timeout;
        let until = if is_whole { own.min(deadline) } else { deadline };
        let Ok(last) = timeout_at(until.into(), self.attempts(&call, until)).await else {
            // Of a client that had little time left nothing follows for the subgraph.
            if is_whole && own <= deadline {
                leave.ended(false);
            }
            return Err(SubgraphFault::TimedOut(until.saturating_duration_since(started)));
        };
        if let Some(status) = last.status {
            trace::status(status);
        }
        let failed = last.is_of_the_unwell();
        if is_whole || !failed {
            leave.ended(!failed);
        }
        last.outcome
    }

    /// Opens a response that goes on for as long as the subgraph has something to say.
    pub(super) async fn open(
        &self,
        uri: &Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, SubgraphFault> {
        let mut request = Request::new(Either::Left(Full::new(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri.clone();
        *request.headers_mut() = headers;
        self.client.send(request).await.map_err(|not_sent| not_sent.fault)
    }

    async fn attempts(&self, call: &Call<'_>, until: Instant) -> Attempt {
        self.budget.earn();
        let mut attempts = 1;
        loop {
            let attempt = self.attempt(call).await;
            let Some(wait) = self.wait_after(&attempt, call, attempts) else { return attempt };
            if Instant::now() + wait >= until || self.breaker.is_open() || !self.budget.spend() {
                return attempt;
            }
            counter!("pulse_gateway_retries_total", "subgraph" => Arc::clone(&self.name)).increment(1);
            sleep(wait).await;
            attempts += 1;
        }
    }

    /// How long to wait before the next attempt. `None` when there is to be none.
    fn wait_after(&self, attempt: &Attempt, call: &Call<'_>, attempts: u32) -> Option<Duration> {
        let retries = &self.config.retries;
        if attempts >= retries.attempts || !call.is_there_still() {
            return None;
        }
        let may_pass = match (&attempt.outcome, attempt.status) {
            _ if attempt.is_unseen => true,
            _ if !call.is_repeatable => false,
            (_, Some(status)) if retries.statuses.contains(&status.as_u16()) => true,
            (Err(SubgraphFault::Unreachable(_) | SubgraphFault::TimedOut(_)), _) => true,
            _ => false,
        };
        may_pass.then(|| attempt.wait.unwrap_or_else(|| backoff(retries, attempts)))
    }

    async fn attempt(&self, call: &Call<'_>) -> Attempt {
        let _slot = match &self.slots {
            Some(slots) => Some(slots.acquire().await.expect("the semaphore is never closed")),
            None => None,
        };
        let limit = self.config.attempt_timeout;
        if limit.is_zero() {
            return self.exchange(call).await;
        }
        timeout(limit, self.exchange(call)).await.unwrap_or(Attempt {
            outcome: Err(SubgraphFault::TimedOut(limit)),
            status: None,
            wait: None,
            is_unseen: false,
        })
    }

    async fn exchange(&self, call: &Call<'_>) -> Attempt {
        let mut request = Request::new(call.payload.take());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        let mut headers = (call.head)();
        if let Some(names) = &self.accept_encoding {
            headers.insert(ACCEPT_ENCODING, names.clone());
        }
        if matches!(call.payload, Payload::Gzip(_)) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        *request.headers_mut() = headers;
        match self.client.send(request).await {
            Err(NotSent { fault, is_unseen }) => {
                Attempt { outcome: Err(fault), status: None, wait: None, is_unseen }
            }
            Ok(response) => {
                let status = response.status();
                let wait = retry_after(response.headers(), self.clock.now());
                let outcome = response::read(response, &self.config).await;
                Attempt { outcome, status: Some(status), wait, is_unseen: false }
            }
        }
    }
}

impl Payload {
    pub(super) const fn once(body: Streamed) -> Self {
        Self::Once(Mutex::new(Some(body)))
    }

    fn take(&self) -> Outgoing {
        match self {
            Self::Whole(bytes) | Self::Gzip(bytes) => Either::Left(Full::new(bytes.clone())),
            Self::Once(body) => {
                let body = body.lock().unwrap_or_else(PoisonError::into_inner).take();
                body.map_or_else(|| Either::Left(Full::default()), Either::Right)
            }
        }
    }
}

impl Call<'_> {
    /// Whether it can be sent again at all.
    const fn is_there_still(&self) -> bool {
        matches!(self.payload, Payload::Whole(_) | Payload::Gzip(_))
    }
}

impl Attempt {
    /// Whether it failed in a way that says something about the subgraph, not about what was asked.
    fn is_of_the_unwell(&self) -> bool {
        let is_overloaded = matches!(
            self.status,
            Some(StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT)
        );
        match &self.outcome {
            Ok(_) => is_overloaded,
            Err(SubgraphFault::Unreachable(_) | SubgraphFault::TimedOut(_)) => true,
            Err(_) => self.status.is_some_and(|status| status.is_server_error()),
        }
    }
}
