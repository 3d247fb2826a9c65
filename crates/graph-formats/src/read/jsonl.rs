//! JSON Lines: an item as an object on each line.

use std::io::BufRead;

use super::lines::{Line, Lines};
use super::{Limits, ReadError, Record};
use crate::Item;

pub(super) struct JsonLines<R> {
    lines: Lines<R>,
    line: u64,
    limits: Limits,
}

impl<R: BufRead> JsonLines<R> {
    pub(super) const fn new(input: R, limits: Limits) -> Self {
        Self { lines: Lines::new(input, limits.record_bytes), line: 0, limits }
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.lines.bytes()
    }

    pub(super) const fn lines(&self) -> u64 {
        self.line
    }

    pub(super) fn next(&mut self) -> Result<Option<Record>, ReadError> {
        loop {
            let (line, max) = (self.line + 1, self.limits.record_bytes);
            let read = self.lines.next().map_err(|source| ReadError::Io { line: self.line, source })?;
            let Some(read) = read else { return Ok(None) };
            self.line = line;
            let (size, item) = match read {
                Line::Text(text) => (text.len(), parse(text, line)),
                Line::TooLong => (0, Err(format!("the line is longer than {max} bytes"))),
            };
            if let Some(item) = item.transpose() {
                return Ok(Some(Record { line, size, item }));
            }
        }
    }
}

/// The item of a line, `None` for an empty line, or what is wrong with it.
fn parse(line: &[u8], number: u64) -> Result<Option<Item>, String> {
    let line = if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("not UTF-8 from byte {} of the line on", error.valid_up_to() + 1))?
        .trim();
    if text.is_empty() {
        return Ok(None);
    }
    if !text.starts_with('{') {
        return Err("not a JSON object".to_owned());
    }
    serde_json::from_str(text).map(Some).map_err(|error| {
        // serde_json counts lines of what it was given, which is this one line.
        let reason: String = error.to_string().chars().take(300).collect();
        reason.replace(" at line 1 column ", " at column ")
    })
}
