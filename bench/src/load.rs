//! The load generator: the same for every server that is compared.

use std::net::SocketAddr;
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
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) address: SocketAddr,
    pub(crate) path: &'static str,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Bytes,
}

/// What a run showed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
}

impl Call {
    fn request(&self) -> anyhow::Result<Request<Full<Bytes>>> {
        let request = Request::post(self.path)
            .header("host", self.address.to_string())
            .header("content-type", "application/json")
            .header("accept", "application/json");
        let request = match &self.authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        };
        Ok(request.body(Full::new(self.body.clone()))?)
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
        Ok(body)
    }

    /// Sends it once.
    pub(crate) async fn once(&self) -> anyhow::Result<Bytes> {
        self.send(&mut self.connect().await?).await
    }

    /// Sends it over `connections` at once for `time`, each as fast as it is answered.
    pub(crate) async fn load(&self, connections: usize, time: Duration) -> anyhow::Result<Measured> {
        let until = Instant::now() + time;
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let call = self.clone();
            tasks.spawn(async move {
                let mut sender = call.connect().await?;
                let mut latencies = Vec::new();
                while Instant::now() < until {
                    let sent = Instant::now();
                    call.send(&mut sender).await?;
                    latencies.push(sent.elapsed());
                }
                anyhow::Ok(latencies)
            });
        }
        let mut latencies = Vec::new();
        while let Some(done) = tasks.join_next().await {
            latencies.extend(done??);
        }
        latencies.sort_unstable();
        let at = |share: usize| {
            latencies.get(latencies.len() * share / 100).copied().context("no request was answered")
        };
        #[expect(clippy::cast_precision_loss, reason = "far fewer requests than 2^52")]
        let per_second = latencies.len() as f64 / time.as_secs_f64();
        Ok(Measured { per_second, p50: at(50)?, p99: at(99)? })
    }
}
