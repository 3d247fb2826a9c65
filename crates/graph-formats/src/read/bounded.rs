//! Input of which no more than so much is read at once.

use std::io::{self, BufRead, Read};

/// Counts lines and bytes, and fails where more is read than was allowed.
pub(super) struct Bounded<R> {
    input: R,
    bytes: u64,
    /// Ends of lines.
    newlines: u64,
    /// Bytes since the last of them.
    column: u64,
    allowed_up_to: u64,
}

impl<R> Bounded<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, bytes: 0, newlines: 0, column: 0, allowed_up_to: 0 }
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The line that is being read, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.newlines + 1
    }

    /// How many lines were begun.
    pub(super) const fn lines(&self) -> u64 {
        self.newlines + if self.column > 0 { 1 } else { 0 }
    }

    /// The byte of the line that is read next, from 1.
    pub(super) const fn column(&self) -> u64 {
        self.column + 1
    }

    /// Lets so many more bytes be read.
    pub(super) const fn allow(&mut self, bytes: usize) {
        self.allowed_up_to = self.bytes.saturating_add(bytes as u64);
    }
}

impl<R: BufRead> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let left = usize::try_from(self.allowed_up_to - self.bytes).unwrap_or(usize::MAX);
        let available = self.input.fill_buf()?;
        if left == 0 && !available.is_empty() {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, TooMuch));
        }
        Ok(&available[..available.len().min(left)])
    }

    fn consume(&mut self, amount: usize) {
        if let Ok(available) = self.input.fill_buf() {
            let used = &available[..amount.min(available.len())];
            self.newlines += memchr::memchr_iter(b'\n', used).count() as u64;
            self.column = match memchr::memrchr(b'\n', used) {
                Some(last) => (used.len() - last - 1) as u64,
                None => self.column + used.len() as u64,
            };
        }
        self.bytes += amount as u64;
        self.input.consume(amount);
    }
}

impl<R: BufRead> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(buffer.len());
        buffer[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// More than was allowed.
#[derive(Debug, thiserror::Error)]
#[error("more than is allowed")]
pub(super) struct TooMuch;
