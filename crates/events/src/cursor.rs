//! Places in a log, as clients keep them.

use std::fmt;
use std::str::FromStr;

/// A place in a log: which log, and after which position. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCursor {
    /// The log's name: one per database.
    pub log: String,
    /// Everything up to this position has been read; 0 is the beginning.
    pub position: i64,
}

/// Text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor of the event log: start again without it")]
pub struct InvalidCursor;

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.log, self.position)
    }
}

impl FromStr for LogCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (log, position) = text.rsplit_once('.').ok_or(InvalidCursor)?;
        let position = i64::from_str_radix(position, 16).map_err(|_| InvalidCursor)?;
        if log.is_empty() || position < 0 {
            Err(InvalidCursor)
        } else {
            Ok(Self { log: log.to_owned(), position })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = LogCursor { log: "main".to_owned(), position: 4_711 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn other_text_is_no_cursor() {
        for text in ["", "main", "main.", ".1", "main.xyz", "main.-1"] {
            assert_eq!(text.parse::<LogCursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
