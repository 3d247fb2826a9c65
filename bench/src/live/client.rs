//! Clients that cost little: a socket, a buffer, and a look for the version in what comes.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::board::Board;

/// How a client follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    WebSocket,
    Events,
    /// The comparison's own: a line with what to follow, then the frames of events.
    Bare,
}

/// What one client does.
pub(super) struct Client {
    pub(super) number: usize,
    pub(super) address: SocketAddr,
    pub(super) transport: Transport,
    pub(super) token: String,
    /// The operation with its variables, as JSON.
    pub(super) operation: String,
}

impl Client {
    /// Connects and subscribes; what it hears goes to the board until the connection ends.
    pub(super) async fn open(self, board: Arc<Board>) -> anyhow::Result<()> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut read = Vec::new();
        match self.transport {
            Transport::WebSocket => self.upgrade(&mut stream, &mut read).await?,
            Transport::Events => self.post(&mut stream, &mut read).await?,
            Transport::Bare => stream.write_all(self.operation.as_bytes()).await?,
        }
        let (number, transport) = (self.number, self.transport);
        tokio::spawn(async move {
            // However it ends, it is not there any more.
            let _ended = listen(stream, read, (number, transport), &board).await;
            board.gone();
        });
        Ok(())
    }

    async fn post(&self, stream: &mut TcpStream, read: &mut Vec<u8>) -> anyhow::Result<()> {
        let head = format!(
            "POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: text/event-stream\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{}",
            self.token,
            self.operation.len(),
            self.operation
        );
        stream.write_all(head.as_bytes()).await?;
        let head = until(stream, read, b"\r\n\r\n").await?;
        ensure!(head.starts_with(b"HTTP/1.1 200"), "refused: {}", String::from_utf8_lossy(&head));
        Ok(())
    }

    async fn upgrade(&self, stream: &mut TcpStream, read: &mut Vec<u8>) -> anyhow::Result<()> {
        let head = "GET /graphql HTTP/1.1\r\nhost: bench\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n";
        stream.write_all(head.as_bytes()).await?;
        let head = until(stream, read, b"\r\n\r\n").await?;
        ensure!(head.starts_with(b"HTTP/1.1 101"), "refused: {}", String::from_utf8_lossy(&head));
        let init =
            format!(r#"{{"type":"connection_init","payload":{{"authorization":"Bearer {}"}}}}"#, self.token);
        stream.write_all(&frame(TEXT, init.as_bytes())).await?;
        loop {
            match next_frame(stream, read).await? {
                (TEXT, text) if text.starts_with(br#"{"type":"connection_ack""#) => break,
                (TEXT | PING | PONG, _) => {}
                (_, reason) => bail!("closed: {}", String::from_utf8_lossy(&reason)),
            }
        }
        let subscribe = format!(r#"{{"type":"subscribe","id":"1","payload":{}}}"#, self.operation);
        Ok(stream.write_all(&frame(TEXT, subscribe.as_bytes())).await?)
    }
}

async fn listen(
    mut stream: TcpStream,
    mut read: Vec<u8>,
    (number, transport): (usize, Transport),
    board: &Board,
) -> anyhow::Result<()> {
    loop {
        let said = if transport == Transport::WebSocket {
            match next_frame(&mut stream, &mut read).await? {
                (TEXT, text) => text,
                (PING, payload) => {
                    stream.write_all(&frame(PONG, &payload)).await?;
                    continue;
                }
                (PONG, _) => continue,
                (_, reason) => bail!("closed: {}", String::from_utf8_lossy(&reason)),
            }
        } else {
            until(&mut stream, &mut read, b"\n\n").await?
        };
        if let Some(version) = version_in(&said) {
            board.heard(number, version);
        } else if contains(&said, br#""type":"ping""#) {
            stream.write_all(&frame(TEXT, br#"{"type":"pong"}"#)).await?;
        } else if contains(&said, b"errors") {
            bail!("{}", String::from_utf8_lossy(&said));
        }
    }
}

fn version_in(said: &[u8]) -> Option<u64> {
    const NAME: &[u8] = br#""version":"#;
    let at = said.windows(NAME.len()).position(|window| window == NAME)?;
    let digits = said[at + NAME.len()..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn contains(said: &[u8], what: &[u8]) -> bool {
    said.windows(what.len()).any(|window| window == what)
}

/// What comes up to and with `end`.
pub(super) async fn until(stream: &mut TcpStream, read: &mut Vec<u8>, end: &[u8]) -> anyhow::Result<Vec<u8>> {
    loop {
        if let Some(at) = read.windows(end.len()).position(|window| window == end) {
            let rest = read.split_off(at + end.len());
            return Ok(std::mem::replace(read, rest));
        }
        more(stream, read).await?;
    }
}

async fn more(stream: &mut TcpStream, read: &mut Vec<u8>) -> anyhow::Result<()> {
    read.reserve(512);
    ensure!(stream.read_buf(read).await? > 0, "the connection ended");
    Ok(())
}

const TEXT: u8 = 1;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A client's frame (RFC 6455 §5.2). Its mask is zero, which leaves the payload as it is.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match u16::try_from(payload.len()) {
        Ok(length @ 0..126) => frame.push(0x80 | length.to_be_bytes()[1]),
        Ok(length) => {
            frame.push(0x80 | 126);
            frame.extend(length.to_be_bytes());
        }
        Err(_) => {
            frame.push(0x80 | 127);
            frame.extend((payload.len() as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The opcode and the payload of a server's next frame. Pulse does not split messages.
async fn next_frame(stream: &mut TcpStream, read: &mut Vec<u8>) -> anyhow::Result<(u8, Vec<u8>)> {
    loop {
        if let Some((head, length)) = measure(read)? {
            if read.len() >= head + length {
                let rest = read.split_off(head + length);
                let mut whole = std::mem::replace(read, rest);
                let opcode = whole[0] & 0x0f;
                whole.drain(..head);
                return Ok((opcode, whole));
            }
        }
        more(stream, read).await?;
    }
}

/// How long a frame's head and its payload are, as soon as it says so.
fn measure(read: &[u8]) -> anyhow::Result<Option<(usize, usize)>> {
    let (Some(first), Some(second)) = (read.first(), read.get(1)) else { return Ok(None) };
    ensure!(first & 0x80 != 0, "a message in several frames");
    Ok(match second & 0x7f {
        126 => read.get(2..4).map(|length| (4, usize::from(u16::from_be_bytes([length[0], length[1]])))),
        127 => match read.get(2..10) {
            Some(length) => {
                let length = u64::from_be_bytes(length.try_into().context("eight bytes")?);
                Some((10, usize::try_from(length)?))
            }
            None => None,
        },
        short => Some((2, usize::from(short))),
    })
}
