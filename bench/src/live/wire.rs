//! A connection of a subscriber, read by hand: ten thousand of them must cost the bench little.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How much is read at once.
const READ: usize = 1024;

/// What a WebSocket frame is, in RFC 6455's numbers.
const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// In place of a length: it is too large for this byte, and in the two that follow.
const IN_TWO_BYTES: u8 = 126;

/// A connection, and what was read of it but not looked at.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// So much of the buffer was looked at.
    looked: usize,
}

impl Wire {
    /// Sends the head of a request, and its body.
    pub(crate) async fn open(address: SocketAddr, request: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await.context("no connection: are there ports left?")?;
        stream.set_nodelay(true)?;
        stream.write_all(request.as_bytes()).await?;
        Ok(Self { stream, buffer: Vec::new(), looked: 0 })
    }

    /// Reads the head of the answer, and returns its status.
    pub(crate) async fn status(&mut self) -> anyhow::Result<u16> {
        loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end])?;
                let status = head.split(' ').nth(1).context("no status")?.parse()?;
                self.looked = end + 4;
                return Ok(status);
            }
            self.fill().await?;
        }
    }

    /// All that is left to read, where the server closes the connection.
    pub(crate) async fn rest(mut self) -> anyhow::Result<String> {
        let mut rest = self.buffer.split_off(self.looked);
        self.stream.read_to_end(&mut rest).await?;
        Ok(String::from_utf8(rest)?)
    }

    /// Sends a text over WebSocket. It is masked by zeros, which changes nothing.
    pub(crate) async fn send(&mut self, text: &str) -> anyhow::Result<()> {
        self.frame(TEXT, text.as_bytes()).await
    }

    async fn frame(&mut self, kind: u8, payload: &[u8]) -> anyhow::Result<()> {
        let length = u16::try_from(payload.len())?;
        let mut frame = vec![0x80 | kind];
        match u8::try_from(length) {
            Ok(length) if length < IN_TWO_BYTES => frame.push(0x80 | length),
            _ => {
                frame.push(0x80 | IN_TWO_BYTES);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(payload);
        Ok(self.stream.write_all(&frame).await?)
    }

    /// Reads the next text over WebSocket.
    pub(crate) async fn message<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> anyhow::Result<T> {
        loop {
            let Some((kind, start, end)) = frame_in(&self.buffer, self.looked) else {
                self.fill().await?;
                continue;
            };
            self.looked = end;
            match kind {
                TEXT => return Ok(read(&self.buffer[start..end])),
                PING => {
                    let payload = self.buffer[start..end].to_vec();
                    self.frame(PONG, &payload).await?;
                }
                CLOSE => {
                    let reason = self.buffer.get(start + 2..end).unwrap_or_default();
                    bail!("the server closed: {}", String::from_utf8_lossy(reason));
                }
                _ => {}
            }
        }
    }

    /// Reads the data of the next server-sent event that has some. Each event comes in one chunk.
    pub(crate) async fn event<T>(&mut self, read: impl FnOnce(&[u8]) -> T) -> anyhow::Result<T> {
        loop {
            let Some(length) = find(&self.buffer[self.looked..], b"\n") else {
                self.fill().await?;
                continue;
            };
            let line = self.looked..self.looked + length;
            self.looked = line.end + 1;
            if let Some(data) = self.buffer[line].strip_prefix(b"data: ") {
                return Ok(read(data));
            }
        }
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        self.buffer.drain(..self.looked);
        self.looked = 0;
        self.buffer.reserve(READ);
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server ended the connection");
        Ok(())
    }
}

/// The kind of the frame that begins at `at`, and where its payload is, once all of it is there.
fn frame_in(buffer: &[u8], at: usize) -> Option<(u8, usize, usize)> {
    let frame = buffer.get(at..)?;
    let kind = frame.first()? & 0x0f;
    let (length, start) = match frame.get(1)? & 0x7f {
        IN_TWO_BYTES => (usize::from(u16::from_be_bytes([*frame.get(2)?, *frame.get(3)?])), 4),
        127 => {
            let length: [u8; 8] = frame.get(2..10)?.try_into().ok()?;
            (usize::try_from(u64::from_be_bytes(length)).ok()?, 10)
        }
        length => (usize::from(length), 2),
    };
    (frame.len() >= start + length).then_some((kind, at + start, at + start + length))
}

pub(crate) fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        let mut frame = vec![0, 0x81, 126, 1, 0];
        assert_eq!(frame_in(&frame, 1), None);
        frame.extend([b'x'; 256]);
        assert_eq!(frame_in(&frame, 1), Some((TEXT, 5, 261)));
        assert_eq!(frame_in(&[0x89, 2, 7, 7], 0), Some((PING, 2, 4)));
    }
}
