//! A subgraph's server that does as it is told, byte for byte.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What a server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Behaviour {
    /// Writes these bytes and closes the connection.
    Answer(Vec<u8>),
    /// Reads the request and never answers.
    Silence,
}

pub(crate) struct FakeServer {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FakeServer {
    pub(crate) async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/graphql", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(converse(stream, behaviour.clone(), Arc::clone(&seen)));
            }
        });
        Self { url, requests }
    }

    /// A server that answers with this status, content type and body.
    pub(crate) async fn answering(status: &str, content_type: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
        Self::start(Behaviour::Answer([head.as_bytes(), body].concat())).await
    }

    /// An address at which nobody listens.
    pub(crate) async fn dead_url() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}/graphql", listener.local_addr().unwrap())
    }

    /// The requests that came, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn converse(mut stream: TcpStream, behaviour: Behaviour, seen: Arc<Mutex<Vec<String>>>) {
    let Some(request) = read_request(&mut stream).await else { return };
    seen.lock().unwrap().push(request);
    match behaviour {
        // The client may have gone already.
        Behaviour::Answer(bytes) => drop(stream.write_all(&bytes).await),
        Behaviour::Silence => drop(stream.read(&mut [0]).await),
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text);
            }
        }
        // A TLS handshake begins with 0x16. This server speaks plain HTTP.
        if stream.read_buf(&mut bytes).await.ok()? == 0 || bytes[0] == 0x16 {
            return None;
        }
    }
}
