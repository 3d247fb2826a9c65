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
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_prefix(rest));
        out.put_slice(plain);
        let Some((byte, after)) = special.split_first() else { break };
        rest = after;
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
    out.put_u8(b'"');
}

/// How many bytes at the beginning are neither a quote nor a backslash nor a control character. Looks at eight at a time.
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    // The lowest high bit that is set is that of the first byte that is zero; those above it may err.
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quotes = zeros(word ^ (ONES * u64::from(b'"')));
        let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
        let controls = word.wrapping_sub(ONES * 0x20) & !word;
        let special = (quotes | backslashes | controls) & HIGHS;
        if special != 0 {
            return index * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest.iter().take_while(|byte| **byte >= 0x20 && **byte != b'"' && **byte != b'\\').count();
    words.len() * 8 + plain
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
