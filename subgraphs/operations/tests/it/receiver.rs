//! A real receiver: it says what came in, and answers as it is told.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode, Uri};
use futures::StreamExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, Notify, mpsc};
use tokio::task::JoinHandle;

/// How a request is answered.
#[derive(Clone)]
pub(crate) enum Reply {
    /// With this status and body.
    Status(u16, String),
    /// With a redirect to this address.
    Redirect(String),
    /// With a refusal that has no end.
    Endless,
    /// When it is told, with 200.
    When(Arc<Notify>),
    /// When it is told, with 500.
    ThenFail(Arc<Notify>),
}

/// What came in.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

#[derive(Clone)]
struct Script {
    reply: Arc<Mutex<Reply>>,
    received: mpsc::UnboundedSender<Received>,
}

/// A server on a port of its own.
pub(crate) struct Receiver {
    pub(crate) port: u16,
    reply: Arc<Mutex<Reply>>,
    received: AsyncMutex<mpsc::UnboundedReceiver<Received>>,
    server: JoinHandle<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, received) = mpsc::unbounded_channel();
        let reply = Arc::new(Mutex::new(Reply::Status(200, String::new())));
        let script = Script { reply: Arc::clone(&reply), received: sender };
        let router = Router::new().fallback(answer).with_state(script);
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { port, reply, received: AsyncMutex::new(received), server }
    }

    /// Answers so from now on.
    pub(crate) fn answers(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    pub(crate) fn answers_with(&self, status: u16) {
        self.answers(Reply::Status(status, format!("status {status}")));
    }

    /// The next request, waited for.
    pub(crate) async fn next(&self) -> Received {
        self.received.lock().await.recv().await.unwrap()
    }

    /// All that came in meanwhile.
    pub(crate) fn all(&self) -> Vec<Received> {
        let mut received = self.received.try_lock().unwrap();
        std::iter::from_fn(|| received.try_recv().ok()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(State(script): State<Script>, uri: Uri, headers: HeaderMap, body: String) -> Response<Body> {
    let reply = script.reply.lock().unwrap().clone();
    script.received.send(Received { path: uri.to_string(), headers, body }).unwrap();
    let response = Response::builder();
    match reply {
        Reply::Status(status, text) => response.status(status).body(Body::from(text)),
        Reply::Redirect(to) => {
            response.status(StatusCode::TEMPORARY_REDIRECT).header("location", to).body(Body::empty())
        }
        Reply::Endless => {
            let line = Bytes::from_static(b"no end\n\x1b[31m of this ");
            let lines = futures::stream::repeat(line).map(Ok::<_, Infallible>);
            response.status(500).body(Body::from_stream(lines))
        }
        Reply::When(told) => {
            told.notified().await;
            response.status(200).body(Body::empty())
        }
        Reply::ThenFail(told) => {
            told.notified().await;
            response.status(500).body(Body::empty())
        }
    }
    .unwrap()
}
