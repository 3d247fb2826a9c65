//! A subgraph's server that follows a script, request by request and byte by byte.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::pause;

/// What the server does next.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Write(Vec<u8>),
    Pause(Duration),
    /// Writes these bytes again and again, until nobody takes them.
    Forever(Vec<u8>),
    /// The same with a pause after each time.
    Trickle(Vec<u8>, Duration),
    /// Keeps the connection until the client closes it.
    Hold,
    Close,
}

pub(crate) struct ScriptedServer {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl ScriptedServer {
    /// Answers each request with the steps that `script` says for its number and text. A connection that is not closed
    /// takes the next request.
    pub(crate) async fn start(script: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, script) = (Arc::clone(&requests), Arc::new(script));
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let (seen, script) = (Arc::clone(&seen), Arc::clone(&script));
                tokio::spawn(async move {
                    while let Some(request) = read_request(&mut stream).await {
                        let number = {
                            let mut seen = seen.lock().unwrap();
                            seen.push(request.clone());
                            seen.len() - 1
                        };
                        if run(&mut stream, script(number, &request)).await.is_none() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, requests }
    }

    /// The same steps for every request.
    pub(crate) async fn always(steps: Vec<Step>) -> Self {
        Self::start(move |_, _| steps.clone()).await
    }

    /// Accepts connections and does this with them without reading anything.
    pub(crate) async fn deaf(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let steps = steps.clone();
                tokio::spawn(async move { run(&mut stream, steps).await });
            }
        });
        Self { url, requests: Arc::default() }
    }

    /// The requests that came, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until so many requests have come.
    pub(crate) async fn asked(&self, times: usize) {
        while self.requests().len() < times {
            pause(Duration::from_millis(2)).await;
        }
    }
}

/// A response with a body, after which the connection is kept.
pub(crate) fn response(status: &str, headers: &[&str], body: &[u8]) -> Step {
    let mut head = format!("HTTP/1.1 {status}\r\n");
    for header in headers {
        write!(head, "{header}\r\n").unwrap();
    }
    write!(head, "content-length: {}\r\n\r\n", body.len()).unwrap();
    Step::Write([head.as_bytes(), body].concat())
}

/// A response of JSON.
pub(crate) fn json(body: &str) -> Step {
    response("200 OK", &["content-type: application/json"], body.as_bytes())
}

/// `None` when the connection is at its end.
async fn run(stream: &mut TcpStream, steps: Vec<Step>) -> Option<()> {
    for step in steps {
        match step {
            Step::Write(bytes) => stream.write_all(&bytes).await.ok()?,
            Step::Pause(time) => pause(time).await,
            Step::Forever(bytes) => loop {
                stream.write_all(&bytes).await.ok()?;
            },
            Step::Trickle(bytes, rest) => loop {
                stream.write_all(&bytes).await.ok()?;
                pause(rest).await;
            },
            Step::Hold => while stream.read(&mut [0; 1024]).await.ok()? > 0 {},
            Step::Close => return None,
        }
    }
    Some(())
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(end) = text.find("\r\n\r\n") {
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
