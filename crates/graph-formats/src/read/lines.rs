//! Lines of bounded length.

use std::io::{self, BufRead};

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

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(reader: R, max: usize) -> Self {
        Self { reader, max, line: Vec::new(), bytes: 0 }
    }

    /// How many bytes were read.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        self.line.clear();
        let (mut any, mut long) = (false, false);
        loop {
            let available = self.reader.fill_buf()?;
            if available.is_empty() {
                break;
            }
            any = true;
            let end = memchr::memchr(b'\n', available);
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
    use std::io::BufReader;

    use super::*;

    #[test]
    fn long_lines_are_skipped_and_the_next_is_read() {
        let text: &[u8] = b"a\n\nlonger than allowed\r\nb";
        let mut lines = Lines::new(BufReader::with_capacity(4, text), 5);
        assert_eq!(lines.next().expect("reads"), Some(Line::Text(b"a")));
        assert_eq!(lines.next().expect("reads"), Some(Line::Text(b"")));
        assert_eq!(lines.next().expect("reads"), Some(Line::TooLong));
        assert_eq!(lines.next().expect("reads"), Some(Line::Text(b"b")));
        assert_eq!(lines.next().expect("reads"), None);
        assert_eq!(lines.bytes(), text.len() as u64);
    }
}
