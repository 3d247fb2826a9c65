//! A client that speaks `graphql-transport-ws`, message by message.

use futures::{SinkExt, StreamExt};
use http::{HeaderValue, Request};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::soon;

pub(crate) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a connection to a gateway's `/graphql`. Headers are given as `name: value`.
    pub(crate) async fn try_open(url: &str, headers: &[&str]) -> Result<Self, Error> {
        let address = url.strip_prefix("http://").unwrap();
        let mut request: Request<()> = format!("ws://{address}/graphql").into_client_request().unwrap();
        let protocol = HeaderValue::from_static("graphql-transport-ws");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        for header in headers {
            let (name, value) = header.split_once(": ").unwrap();
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(request, stream).await?;
        Ok(Self(socket))
    }

    pub(crate) async fn open(url: &str) -> Self {
        Self::try_open(url, &[]).await.unwrap()
    }

    /// A connection that was acknowledged.
    pub(crate) async fn ready(url: &str) -> Self {
        let mut socket = Self::open(url).await;
        socket.send(r#"{"type":"connection_init"}"#).await;
        assert_eq!(socket.read().await, r#"{"type":"connection_ack"}"#);
        socket
    }

    pub(crate) async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    pub(crate) async fn send_message(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    /// Sends `subscribe` with a document and, as JSON, its variables.
    pub(crate) async fn subscribe(&mut self, id: &str, query: &str, variables: &str) {
        let query = serde_json::Value::from(query);
        let payload = format!(r#"{{"query":{query},"variables":{variables}}}"#);
        self.send(&format!(r#"{{"id":"{id}","type":"subscribe","payload":{payload}}}"#)).await;
    }

    /// The next message: its text, or `close CODE REASON`, or `broken`.
    pub(crate) async fn read(&mut self) -> String {
        loop {
            return match soon(self.0.next()).await {
                Some(Ok(Message::Text(text))) => text.to_string(),
                Some(Ok(Message::Close(Some(frame)))) => {
                    format!("close {} {}", u16::from(frame.code), frame.reason)
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
                Some(Ok(other)) => format!("{other:?}"),
                Some(Err(_)) | None => "broken".to_owned(),
            };
        }
    }

    /// The next frame of any kind.
    pub(crate) async fn frame(&mut self) -> Option<Message> {
        soon(self.0.next()).await?.ok()
    }
}
