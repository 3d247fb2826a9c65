//! A value as it is written in Redis: a position, a line that says what it is, the bytes.

use bytes::Bytes;
use chrono::{DateTime, Utc};
use pulse_types::Tag;
use serde::{Deserialize, Serialize};

/// A value as it is written in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// It holds every change of the log up to here.
    pub(crate) position: i64,
    pub(crate) head: Head,
    pub(crate) value: Bytes,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(crate) expires: DateTime<Utc>,
    /// How long it was to be kept when it was loaded.
    pub(crate) ttl_ms: u64,
    pub(crate) tags: Vec<Tag>,
}

impl Stored {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut bytes = format!("{}\n", self.position).into_bytes();
        serde_json::to_writer(&mut bytes, &self.head).expect("writing to a Vec cannot fail");
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.value);
        bytes
    }

    /// `None` for something else.
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Self> {
        let mut bytes = Bytes::from(bytes);
        let mut line = || {
            let end = bytes.iter().position(|byte| *byte == b'\n')?;
            let line = bytes.split_to(end);
            let _ = bytes.split_to(1);
            Some(line)
        };
        let position = std::str::from_utf8(&line()?).ok()?.parse().ok()?;
        let head = serde_json::from_slice(&line()?).ok()?;
        Some(Self { position, head, value: bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_reads_back_and_anything_else_does_not() {
        let head =
            Head { expires: DateTime::UNIX_EPOCH, ttl_ms: 5, tags: vec![Tag::list("a.b").with("c", "d\n")] };
        let stored = Stored { position: 7, head, value: Bytes::from_static(b"a\nb") };
        assert_eq!(Stored::read(stored.write()), Some(stored));
        for other in ["", "7", "7\n", "x\n{}\n", "7\n{}\n", "\n\n"] {
            assert_eq!(Stored::read(other.into()), None, "{other:?}");
        }
    }
}
