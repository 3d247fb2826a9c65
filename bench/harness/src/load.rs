//! The load generator: the same for every server that is compared.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// One request, sent again and again.
#[derive(Debug, Clone)]
pub struct Call {
    /// To whom.
    pub address: SocketAddr,
    /// Where.
    pub path: &'static str,
    /// The header `Authorization`.
    pub authorization: Option<String>,
    /// What.
    pub body: Body,
    /// How.
    pub verb: Verb,
}

/// A method of HTTP.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verb {
    /// With a body.
    #[default]
    Post,
    /// Without one.
    Get,
}

/// A request's body.
#[derive(Debug, Clone)]
pub enum Body {
    /// Always the same.
    Same(Bytes),
    /// Another each time: this text with `{n}` replaced by a number that never comes again.
    Numbered(Arc<str>, Arc<AtomicU64>),
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::Same(Bytes::from_static(text.as_bytes()))
    }
}

impl Body {
    fn next(&self) -> Bytes {
        match self {
            Self::Same(bytes) => bytes.clone(),
            Self::Numbered(text, count) => {
                let number = count.fetch_add(1, Ordering::Relaxed).to_string();
                Bytes::from(text.replace("{n}", &number))
            }
        }
    }
}

/// What a run showed.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// How many were answered well, a second.
    pub per_second: f64,
    /// How many were answered, well or not.
    pub answered: usize,
    /// How many were not answered well: a status that is no success, a connection that broke, errors in the answer.
    pub errors: usize,
    /// The time that half of the answers took at most.
    pub p50: Duration,
    /// The time that all but one in a hundred took at most.
    pub p99: Duration,
    /// The time that all but one in a thousand took at most.
    pub p999: Duration,
}

/// A connection over which one asks this and that.
#[derive(Debug)]
pub struct Line {
    call: Call,
    sender: SendRequest<Full<Bytes>>,
}

impl Line {
    /// Asks once, and waits for the answer.
    pub async fn ask(&mut self, body: Vec<u8>) -> anyhow::Result<Bytes> {
        self.call.body = Body::Same(body.into());
        self.call.send(&mut self.sender).await
    }
}

impl Call {
    /// Opens a connection of its own.
    pub async fn open(&self) -> anyhow::Result<Line> {
        Ok(Line { call: self.clone(), sender: self.connect().await? })
    }

    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let request = match self.verb {
            Verb::Post => Request::post(self.path).header("content-type", "application/json"),
            Verb::Get => Request::get(self.path),
        };
        let request = request.header("host", self.address.to_string()).header("accept", "application/json");
        let request = match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        };
        Ok(request.body(Full::new(self.body.next()))?)
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(sender)
    }

    async fn send(&self, sender: &mut SendRequest<Full<Bytes>>) -> anyhow::Result<Bytes> {
        sender.ready().await?;
        let response = sender.send_request(self.request()?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{status}: {}", String::from_utf8_lossy(&body));
        // A GraphQL answer with errors begins or ends with them.
        let (head, tail) = (&body[..body.len().min(20)], &body[body.len().saturating_sub(3)..]);
        ensure!(!head.starts_with(b"{\"errors\"") && !tail.ends_with(b"]}"), "an answer with errors");
        Ok(body)
    }

    /// Sends it once.
    pub async fn once(&self) -> anyhow::Result<Bytes> {
        self.send(&mut self.connect().await?).await
    }

    /// Sends it over `connections` at once for `time`, each as fast as it is answered.
    pub async fn load(&self, connections: usize, time: Duration) -> anyhow::Result<Measured> {
        let started = Instant::now();
        let until = started + time;
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            tasks.spawn(self.clone().drive(until));
        }
        let (mut latencies, mut errors) = (Vec::new(), 0);
        while let Some(done) = tasks.join_next().await {
            let (more, failed) = done?;
            latencies.extend(more);
            errors += failed;
        }
        let took = started.elapsed();
        latencies.sort_unstable();
        let at = |per_mille: usize| {
            latencies.get(latencies.len() * per_mille / 1000).copied().context("no request was answered")
        };
        #[expect(clippy::cast_precision_loss, reason = "far fewer requests than 2^52")]
        let per_second = latencies.len() as f64 / took.as_secs_f64();
        let answered = latencies.len() + errors;
        Ok(Measured { per_second, answered, errors, p50: at(500)?, p99: at(990)?, p999: at(999)? })
    }

    /// One connection's work: the times of its answers, and how many failed.
    async fn drive(self, until: Instant) -> (Vec<Duration>, usize) {
        let (mut latencies, mut errors) = (Vec::new(), 0);
        let mut sender = None;
        while Instant::now() < until {
            let sent = Instant::now();
            let answered = async {
                if sender.is_none() {
                    sender = Some(self.connect().await?);
                }
                let sender = sender.as_mut().context("it was opened just now")?;
                self.send(sender).await
            };
            if answered.await.is_ok() {
                latencies.push(sent.elapsed());
            } else {
                errors += 1;
                sender = None;
                // A server that is not there answers at once; this loop should not.
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        (latencies, errors)
    }
}
