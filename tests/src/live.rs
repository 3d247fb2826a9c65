//! Clients that follow a subscription, over each transport.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::TestPlatform;

/// Longer than anything takes that does not hang.
const PATIENCE: Duration = Duration::from_mins(1);

/// How a client follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// `graphql-transport-ws`.
    WebSocket,
    /// Server-sent events.
    Events,
    /// `multipart/mixed`.
    Parts,
}

/// What a client hears.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// An answer.
    Next(Value),
    /// The stream is over; why, when that is said.
    End(String),
}

/// One subscription of one client, with a connection of its own.
pub struct Stream(Kind);

enum Kind {
    Socket(Box<WebSocketStream<TcpStream>>),
    Body { body: Incoming, read: String, boundary: &'static str },
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::WebSocket, Self::Events, Self::Parts];

    /// Subscribes. What is committed after this has returned is heard over events and parts; a socket does not say when it
    /// has begun, and begins behind a cursor in tests.
    pub async fn open(self, platform: &TestPlatform, token: &str, query: &str, variables: Value) -> Stream {
        let opening = async {
            match self {
                Self::WebSocket => socket(platform, token, query, variables).await,
                Self::Events => {
                    body(platform, token, ("text/event-stream", "\n\n"), (query, variables)).await
                }
                Self::Parts => {
                    body(
                        platform,
                        token,
                        ("multipart/mixed;subscriptionSpec=1.0", "\r\n--graphql"),
                        (query, variables),
                    )
                    .await
                }
            }
        };
        Stream(timeout(PATIENCE, opening).await.expect("a stream opens"))
    }
}

async fn socket(platform: &TestPlatform, token: &str, query: &str, variables: Value) -> Kind {
    let address = platform.address();
    let mut request = format!("ws://{address}/graphql").into_client_request().unwrap();
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    request.headers_mut().insert("sec-websocket-protocol", protocol);
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let init =
        json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {token}") } });
    socket.send(Message::text(init.to_string())).await.unwrap();
    let payload = json!({ "query": query, "variables": variables });
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": payload });
    socket.send(Message::text(subscribe.to_string())).await.unwrap();
    Kind::Socket(Box::new(socket))
}

async fn body(
    platform: &TestPlatform,
    token: &str,
    (accept, boundary): (&str, &'static str),
    (query, variables): (&str, Value),
) -> Kind {
    let content = json!({ "query": query, "variables": variables }).to_string();
    let request = Request::post(format!("http://{}/graphql", platform.address()))
        .header("content-type", "application/json")
        .header("accept", accept)
        .header("authorization", format!("Bearer {token}"))
        .body(Full::new(Bytes::from(content)))
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let body = client.request(request).await.unwrap().into_body();
    Kind::Body { body, read: String::new(), boundary }
}

impl Stream {
    /// What is said next. Fails the test when nothing is said for a minute.
    pub async fn next(&mut self) -> Said {
        timeout(PATIENCE, self.said()).await.expect("something is said")
    }

    /// The data of the next answer, which must have no errors.
    pub async fn data(&mut self) -> Value {
        match self.next().await {
            Said::Next(mut answer) if answer.get("errors").is_none() => answer["data"].take(),
            other => panic!("no data: {other:?}"),
        }
    }

    /// The text of the end, or of the errors before it.
    pub async fn end(&mut self) -> String {
        match self.next().await {
            Said::End(reason) => reason,
            Said::Next(answer) => panic!("it goes on: {answer}"),
        }
    }

    async fn said(&mut self) -> Said {
        loop {
            let said = match &mut self.0 {
                Kind::Socket(socket) => of_message(socket.next().await),
                Kind::Body { body, read, boundary } => match piece(body, read, boundary).await {
                    Some(piece) => of_piece(&piece),
                    None => Some(Said::End("the body ended".to_owned())),
                },
            };
            if let Some(said) = said {
                return said;
            }
        }
    }
}

fn of_message(message: Option<Result<Message, tokio_tungstenite::tungstenite::Error>>) -> Option<Said> {
    match message {
        Some(Ok(Message::Text(text))) => {
            let mut message: Value = serde_json::from_str(&text).unwrap();
            match message["type"].as_str().unwrap() {
                "next" => Some(Said::Next(message["payload"].take())),
                "error" => Some(Said::End(message["payload"].to_string())),
                "complete" => Some(Said::End("complete".to_owned())),
                _ => None,
            }
        }
        Some(Ok(Message::Close(frame))) => Some(Said::End(frame.map_or_else(
            || "closed".to_owned(),
            |frame| format!("{} {}", u16::from(frame.code), frame.reason),
        ))),
        Some(Ok(_)) => None,
        Some(Err(_)) | None => Some(Said::End("broken".to_owned())),
    }
}

/// What comes up to the next boundary; `None` at the end.
async fn piece(body: &mut Incoming, read: &mut String, boundary: &str) -> Option<String> {
    loop {
        if let Some(at) = read.find(boundary) {
            let rest = read.split_off(at + boundary.len());
            return Some(std::mem::replace(read, rest));
        }
        let frame = body.frame().await?.ok()?;
        read.push_str(std::str::from_utf8(frame.data_ref()?).unwrap());
    }
}

/// The answer in a server-sent event, or in a part of `multipart/mixed`, whose answers stand in `payload`.
fn of_piece(piece: &str) -> Option<Said> {
    let line = piece.lines().find_map(|line| {
        let line = line.strip_prefix("data: ").or_else(|| line.strip_prefix("data:")).unwrap_or(line);
        serde_json::from_str::<Value>(line).ok().filter(Value::is_object)
    });
    if piece.contains("event: complete") || piece.contains("event:complete") {
        return Some(Said::End("complete".to_owned()));
    }
    let mut answer = line?;
    // The protocol's own errors stand beside a payload that is null.
    if let Some(payload) = answer.get_mut("payload").filter(|payload| payload.is_object()) {
        answer = payload.take();
    }
    let has_answer = answer.get("data").is_some() || answer.get("errors").is_some();
    has_answer.then_some(Said::Next(answer))
}
