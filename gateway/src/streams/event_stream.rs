//! Server-sent events (HTML Living Standard, "Server-sent events").

use bytes::{BufMut, Bytes, BytesMut};

/// An event. The data, in pieces, must have no line breaks, as JSON written by the gateway has none.
pub(super) fn event(name: &str, data: &[&[u8]]) -> Bytes {
    let length: usize = data.iter().map(|piece| piece.len()).sum();
    let mut out = BytesMut::with_capacity(name.len() + length + 20);
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

/// What clients skip.
pub(super) fn comment() -> Bytes {
    Bytes::from_static(b":\n\n")
}
