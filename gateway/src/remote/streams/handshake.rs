//! A socket from its connection to its acknowledgement.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderValue, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};
use tower::Service;

use super::{Bounds, message};
use crate::ports::SubgraphFault;
use crate::remote::client::{Connector, Stream};
use crate::value::Value;

/// What a socket keeps for reading and writing.
const BUFFER: usize = 16 * 1024;

pub(super) type Socket = WebSocketStream<TokioIo<Stream>>;

/// An acknowledged socket.
pub(super) async fn open(
    connector: &Connector,
    (uri, headers): (&Uri, &HeaderMap),
    bounds: &Bounds,
) -> Result<Socket, SubgraphFault> {
    // The connection, TLS, the upgrade and the acknowledgement.
    let patience = bounds.connect_timeout.saturating_mul(3);
    let opening = async {
        let mut socket = connect(connector, (uri, headers), bounds).await?;
        socket.send(message::connection_init(headers)).await.map_err(broken)?;
        acknowledged(&mut socket).await?;
        Ok(socket)
    };
    timeout(patience, opening).await.unwrap_or(Err(SubgraphFault::TimedOut(patience)))
}

async fn connect(
    connector: &Connector,
    (uri, headers): (&Uri, &HeaderMap),
    bounds: &Bounds,
) -> Result<Socket, SubgraphFault> {
    let stream = connector.clone().call(uri.clone()).await;
    let stream = stream.map_err(|error| SubgraphFault::Unreachable(Arc::from(error)))?;
    let address = uri.to_string().replacen("http", "ws", 1);
    let mut request = address.into_client_request().map_err(broken)?;
    for (name, value) in headers {
        request.headers_mut().append(name.clone(), value.clone());
    }
    let protocol = HeaderValue::from_static("graphql-transport-ws");
    request.headers_mut().insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    let config = WebSocketConfig::default()
        .max_message_size(Some(bounds.message_limit))
        .max_frame_size(Some(bounds.message_limit))
        .read_buffer_size(BUFFER)
        .write_buffer_size(BUFFER);
    let opened = client_async_with_config(request, TokioIo::new(stream), Some(config)).await;
    opened.map(|(socket, _)| socket).map_err(broken)
}

async fn acknowledged(socket: &mut Socket) -> Result<(), SubgraphFault> {
    while let Some(message) = socket.next().await {
        let text = match message.map_err(broken)? {
            Message::Text(text) => text,
            Message::Close(frame) => {
                let why =
                    frame.map_or_else(String::new, |frame| format!(" with {} {}", frame.code, frame.reason));
                return Err(SubgraphFault::Malformed(format!("it closed the socket{why}")));
            }
            _ => continue,
        };
        let message = Value::parse(text.as_bytes()).unwrap_or_default();
        match message.get("type").and_then(Value::as_str) {
            Some("connection_ack") => return Ok(()),
            Some("ping") => {
                let pong = Message::text(r#"{"type":"pong"}"#);
                socket.send(pong).await.map_err(broken)?;
            }
            Some("pong") => {}
            _ => {
                let what = "a first message that is no `connection_ack`".to_owned();
                return Err(SubgraphFault::Malformed(what));
            }
        }
    }
    Err(super::connection::closed())
}

/// What went wrong with a socket: with what it carried, or with the connection.
pub(super) fn broken(error: Error) -> SubgraphFault {
    match error {
        Error::Http(response) => SubgraphFault::Malformed(format!(
            "HTTP status {} instead of a socket",
            response.status().as_u16()
        )),
        Error::Capacity(error) => SubgraphFault::Malformed(error.to_string()),
        Error::Protocol(_) | Error::Utf8(_) | Error::Io(_) | Error::ConnectionClosed => {
            SubgraphFault::Unreachable(Arc::new(error))
        }
        other => SubgraphFault::Malformed(other.to_string()),
    }
}
