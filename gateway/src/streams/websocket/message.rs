//! The protocol's messages.

use axum::extract::ws::{Message, Utf8Bytes};
use bytes::{BufMut, Bytes, BytesMut};

use super::close::Close;
use crate::engine::RequestError;
use crate::value::{Object, Text, Value, write_string};

/// What clients send.
#[derive(Debug)]
pub(super) enum ClientMessage {
    ConnectionInit(Object),
    Ping(Option<Value>),
    Pong,
    Subscribe { id: Text, payload: Value },
    Complete { id: Text },
}

impl ClientMessage {
    pub(super) fn read(text: &str) -> Result<Self, Close> {
        let bad = |what: String| Close::bad_message(format!("Invalid message: {what}"));
        let message = Value::parse(text.as_bytes()).map_err(|error| bad(error.to_string()))?;
        let Value::Object(mut message) = message else { return Err(bad("it is no object".to_owned())) };
        let payload = message.remove("payload").filter(|payload| !payload.is_null());
        let id = match message.remove("id") {
            Some(Value::String(id)) if !id.is_empty() => Ok(id),
            _ => Err(bad("it needs an `id`".to_owned())),
        };
        match message.get("type").and_then(Value::as_str) {
            Some("connection_init") => match payload {
                None => Ok(Self::ConnectionInit(Object::new())),
                Some(Value::Object(payload)) => Ok(Self::ConnectionInit(payload)),
                Some(_) => Err(bad("its payload must be an object".to_owned())),
            },
            Some("ping") => Ok(Self::Ping(payload)),
            Some("pong") => Ok(Self::Pong),
            Some("subscribe") => match payload {
                Some(payload @ Value::Object(_)) => Ok(Self::Subscribe { id: id?, payload }),
                _ => Err(bad("its payload must be an object with a `query`".to_owned())),
            },
            Some("complete") => Ok(Self::Complete { id: id? }),
            Some(other) => Err(bad(format!("{other:?} is no type of the protocol"))),
            None => Err(bad("it needs a `type`".to_owned())),
        }
    }
}

/// `connection_ack`.
pub(super) fn acknowledged() -> Message {
    Message::Text(Utf8Bytes::from_static(r#"{"type":"connection_ack"}"#))
}

/// `pong`, with what came with the `ping`.
pub(super) fn pong(payload: Option<&Value>) -> Message {
    let mut out = BytesMut::from(&br#"{"type":"pong""#[..]);
    if let Some(payload) = payload {
        out.put_slice(br#","payload":"#);
        payload.write(&mut out);
    }
    out.put_u8(b'}');
    text(out)
}

/// `next`, with a whole response.
pub(super) fn next(id: &str, response: &Bytes) -> Message {
    message(id, "next", Some(response))
}

/// `error`: the operation was not executed, or its stream ends.
pub(super) fn error(id: &str, errors: &[RequestError]) -> Message {
    let errors = serde_json::to_vec(errors).expect("errors are strings, numbers and maps with string keys");
    message(id, "error", Some(&errors))
}

/// `error`, with a list of errors that was written before.
pub(super) fn error_as_written(id: &str, errors: &Bytes) -> Message {
    message(id, "error", Some(errors))
}

/// `complete`.
pub(super) fn complete(id: &str) -> Message {
    message(id, "complete", None)
}

fn message(id: &str, kind: &str, payload: Option<&[u8]>) -> Message {
    let mut out = BytesMut::with_capacity(payload.map_or(0, <[u8]>::len) + id.len() + 48);
    out.put_slice(b"{\"id\":");
    write_string(id, &mut out);
    out.put_slice(b",\"type\":\"");
    out.put_slice(kind.as_bytes());
    out.put_u8(b'"');
    if let Some(payload) = payload {
        out.put_slice(b",\"payload\":");
        out.put_slice(payload);
    }
    out.put_u8(b'}');
    text(out)
}

fn text(out: BytesMut) -> Message {
    Message::Text(Utf8Bytes::try_from(out.freeze()).expect("the gateway writes UTF-8"))
}
