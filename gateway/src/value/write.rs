//! JSON text out of values.

use bytes::{BufMut, Bytes, BytesMut};

use super::{Object, Value};

impl Value {
    /// Appends this value as JSON.
    pub fn write(&self, out: &mut impl BufMut) {
        match self {
            Self::Null => out.put_slice(b"null"),
            Self::Bool(true) => out.put_slice(b"true"),
            Self::Bool(false) => out.put_slice(b"false"),
            Self::Int(number) => out.put_slice(itoa::Buffer::new().format(*number).as_bytes()),
            Self::Number(text) => out.put_slice(text.as_bytes()),
            Self::String(text) => write_string(text, out),
            Self::List(items) => {
                out.put_u8(b'[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        out.put_u8(b',');
                    }
                    item.write(out);
                }
                out.put_u8(b']');
            }
            Self::Object(object) => object.write(out),
        }
    }

    /// This value as JSON.
    pub fn to_bytes(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(256);
        self.write(&mut out);
        out.freeze()
    }
}

impl Object {
    /// Appends this object as JSON.
    pub fn write(&self, out: &mut impl BufMut) {
        out.put_u8(b'{');
        for (index, (key, value)) in self.iter().enumerate() {
            if index > 0 {
                out.put_u8(b',');
            }
            write_string(key, out);
            out.put_u8(b':');
            value.write(out);
        }
        out.put_u8(b'}');
    }
}

/// Appends a string as JSON: quoted, and escaped where JSON demands it.
pub fn write_string(text: &str, out: &mut impl BufMut) {
    out.put_u8(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.put_slice(&bytes[written..index]);
        written = index + 1;
        match byte {
            b'"' => out.put_slice(b"\\\""),
            b'\\' => out.put_slice(b"\\\\"),
            b'\n' => out.put_slice(b"\\n"),
            b'\r' => out.put_slice(b"\\r"),
            b'\t' => out.put_slice(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                out.put_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            }
        }
    }
    out.put_slice(&bytes[written..]);
    out.put_u8(b'"');
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
