//! Server-sent events (HTML Living Standard, "Server-sent events").

use std::borrow::Cow;

use bytes::{BufMut, Bytes, BytesMut};

use crate::value::Value;

/// An event. The data, in pieces, must have no line breaks, as JSON written by the gateway has none.
pub(super) fn event(name: &str, data: &[&[u8]]) -> Bytes {
    event_at(None, name, data)
}

/// An event with the cursor of its source, which a client that comes back sends as `Last-Event-ID`.
pub(super) fn event_at(cursor: Option<&Value>, name: &str, data: &[&[u8]]) -> Bytes {
    let id = cursor.and_then(id).unwrap_or_default();
    let length: usize = data.iter().map(|piece| piece.len()).sum();
    let mut out = BytesMut::with_capacity(id.len() + name.len() + length + 28);
    if !id.is_empty() {
        out.put_slice(b"id: ");
        out.put_slice(id.as_bytes());
        out.put_u8(b'\n');
    }
    out.put_slice(b"event: ");
    out.put_slice(name.as_bytes());
    // A browser hands on no event that has no data line.
    out.put_slice(b"\ndata: ");
    for piece in data {
        out.extend(piece.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
    }
    out.put_slice(b"\n\n");
    out.freeze()
}

/// A cursor as an event's id; `None` where it cannot be one, since clients could not send it back as a header.
fn id(cursor: &Value) -> Option<Cow<'_, str>> {
    match cursor {
        Value::String(text) if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) => {
            Some(Cow::Borrowed(text.as_str()))
        }
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        _ => None,
    }
}

/// What clients skip.
pub(super) fn comment() -> Bytes {
    Bytes::from_static(b":\n\n")
}
