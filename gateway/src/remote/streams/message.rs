//! The messages of `graphql-transport-ws` as a subgraph sends them.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderMap;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::remote::response::{errors_of, of_value};
use crate::value::Value;

/// What a subgraph says.
pub(super) enum ServerMessage {
    Next(u64, Result<SubgraphResponse, SubgraphFault>),
    /// The operation was refused.
    Error(u64, SubgraphResponse),
    Complete(u64),
    Ping,
    /// Nothing that matters.
    Other,
}

impl ServerMessage {
    pub(super) fn read(text: &str) -> Self {
        let Ok(Value::Object(mut message)) = Value::parse(text.as_bytes()) else { return Self::Other };
        let id = message.get("id").and_then(Value::as_str).and_then(|id| id.parse().ok());
        let payload = message.remove("payload").unwrap_or_default();
        match (message.get("type").and_then(Value::as_str), id) {
            (Some("next"), Some(id)) => Self::Next(id, of_value(payload).map_err(SubgraphFault::Malformed)),
            (Some("error"), Some(id)) => {
                let errors = errors_of(payload);
                Self::Error(id, SubgraphResponse { errors, ..SubgraphResponse::default() })
            }
            (Some("complete"), Some(id)) => Self::Complete(id),
            (Some("ping"), _) => Self::Ping,
            _ => Self::Other,
        }
    }
}

/// `connection_init`, with the headers for servers that look for them there.
pub(super) fn connection_init(headers: &HeaderMap) -> Message {
    let entries = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let payload: serde_json::Map<_, _> =
        entries.map(|(name, value)| (name.to_owned(), value.into())).collect();
    if payload.is_empty() {
        return Message::text(r#"{"type":"connection_init"}"#);
    }
    Message::text(serde_json::json!({ "type": "connection_init", "payload": payload }).to_string())
}

/// `subscribe`.
pub(super) fn subscribe(id: u64, payload: &Bytes) -> Message {
    let mut out = BytesMut::with_capacity(payload.len() + 64);
    out.put_slice(format!("{{\"id\":\"{id}\",\"type\":\"subscribe\",\"payload\":").as_bytes());
    out.put_slice(payload);
    out.put_u8(b'}');
    Message::Text(Utf8Bytes::try_from(out.freeze()).expect("the gateway writes UTF-8"))
}

/// `complete`.
pub(super) fn complete(id: u64) -> Message {
    Message::text(format!("{{\"id\":\"{id}\",\"type\":\"complete\"}}"))
}

/// `pong`.
pub(super) fn pong() -> Message {
    Message::text(r#"{"type":"pong"}"#)
}
