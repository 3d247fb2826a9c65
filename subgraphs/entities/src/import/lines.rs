//! Lines of bounded length.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// Reads lines, and skips what is longer than allowed without keeping it.
pub(super) struct Lines<R> {
    reader: R,
    max: usize,
    line: Vec<u8>,
    bytes: u64,
}

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Text(&'a [u8]),
    TooLong,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    pub(super) const fn new(reader: R, max: usize) -> Self {
        Self { reader, max, line: Vec::new(), bytes: 0 }
    }

    /// How many bytes were read.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) async fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut any, mut long) = (false, false);
        loop {
            let available = self.reader.fill_buf().await?;
            if available.is_empty() {
                break;
            }
            any = true;
            let end = available.iter().position(|byte| *byte == b'\n');
            let part = &available[..end.unwrap_or(available.len())];
            long |= self.line.len() + part.len() > self.max;
            if !long {
                self.line.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            self.bytes += used as u64;
            if end.is_some() {
                break;
            }
        }
        Ok(match (any, long) {
            (false, _) => None,
            (true, true) => Some(Line::TooLong),
            (true, false) => Some(Line::Text(&self.line)),
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    #[tokio::test]
    async fn long_lines_are_skipped_and_the_next_is_read() {
        let text: &[u8] = b"a\n\nlonger than allowed\r\nb";
        let mut lines = Lines::new(BufReader::with_capacity(4, text), 5);
        assert_eq!(lines.next().await.expect("reads"), Some(Line::Text(b"a")));
        assert_eq!(lines.next().await.expect("reads"), Some(Line::Text(b"")));
        assert_eq!(lines.next().await.expect("reads"), Some(Line::TooLong));
        assert_eq!(lines.next().await.expect("reads"), Some(Line::Text(b"b")));
        assert_eq!(lines.next().await.expect("reads"), None);
        assert_eq!(lines.bytes(), text.len() as u64);
    }
}
