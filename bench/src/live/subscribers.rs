//! Those who listen: half of them over WebSocket, half of them by server-sent events.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::board::Board;
use super::wire::{Wire, find};

/// So many connect at once.
const AT_ONCE: usize = 16;

/// How long one may take to connect.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is subscribed to. It is answered from the event itself.
const SUBSCRIPTION: &str = "subscription Changed($type: String!) {
  entityChanged(filter: { types: [$type] }) { id kind version changedFields at cursor } }";

/// What is asked for, and of whom.
#[derive(Debug, Clone)]
pub(crate) enum Dialect {
    /// Pulse's API, as the caller of this token.
    Graphql(String),
    /// The bare server's own.
    Bare,
}

/// One who listens.
pub(crate) struct Subscriber {
    pub(crate) topic: usize,
    /// The version that it hears first.
    pub(crate) first: u64,
    /// Over WebSocket, or else by server-sent events.
    pub(crate) by_socket: bool,
    pub(crate) dialect: Dialect,
}

/// All of them, connected; they go when this is dropped.
pub(crate) struct Audience {
    tasks: JoinSet<()>,
}

impl Audience {
    /// Connects them all.
    pub(crate) async fn connect(
        address: SocketAddr,
        board: &Arc<Board>,
        subscribers: impl IntoIterator<Item = Subscriber>,
    ) -> anyhow::Result<Self> {
        let (room, mut tasks, mut opening) =
            (Arc::new(Semaphore::new(AT_ONCE)), JoinSet::new(), JoinSet::new());
        for subscriber in subscribers {
            let permit = Arc::clone(&room).acquire_owned().await?;
            opening.spawn(async move {
                let opened = timeout(PATIENCE, subscriber.open(address)).await;
                drop(permit);
                let wire = opened.context("a subscriber could not connect in time")??;
                anyhow::Ok((subscriber, wire))
            });
            while let Some(opened) = opening.try_join_next() {
                listen(&mut tasks, opened??, board);
            }
        }
        while let Some(opened) = opening.join_next().await {
            listen(&mut tasks, opened??, board);
        }
        Ok(Self { tasks })
    }

    /// Ends them all.
    pub(crate) async fn leave(mut self) {
        self.tasks.shutdown().await;
    }
}

fn listen(tasks: &mut JoinSet<()>, (subscriber, wire): (Subscriber, Wire), board: &Arc<Board>) {
    let board = Arc::clone(board);
    tasks.spawn(async move {
        // It ends with an error alone.
        let _ended: anyhow::Result<()> = subscriber.listen(wire, &board).await;
        board.gone();
    });
}

impl Subscriber {
    async fn open(&self, address: SocketAddr) -> anyhow::Result<Wire> {
        let wire = match (&self.dialect, self.by_socket) {
            (Dialect::Graphql(token), true) => self.open_graphql_socket(address, token).await?,
            (Dialect::Graphql(token), false) => {
                let request = json!({ "query": SUBSCRIPTION, "variables": self.variables() }).to_string();
                let head = format!(
                    "POST /graphql HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
                     Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                    request.len()
                );
                answered(Wire::open(address, &(head + &request)).await?, 200).await?
            }
            (Dialect::Bare, true) => {
                let path = format!("/socket/{}", self.topic);
                answered(Wire::open(address, &upgrade(address, &path, "")).await?, 101).await?
            }
            (Dialect::Bare, false) => {
                let head = format!("GET /events/{} HTTP/1.1\r\nHost: {address}\r\n\r\n", self.topic);
                answered(Wire::open(address, &head).await?, 200).await?
            }
        };
        Ok(wire)
    }

    async fn open_graphql_socket(&self, address: SocketAddr, token: &str) -> anyhow::Result<Wire> {
        let protocol = "Sec-WebSocket-Protocol: graphql-transport-ws\r\n";
        let wire = Wire::open(address, &upgrade(address, "/graphql", protocol)).await?;
        let mut wire = answered(wire, 101).await?;
        let payload = json!({ "authorization": format!("Bearer {token}") });
        wire.send(&json!({ "type": "connection_init", "payload": payload }).to_string()).await?;
        let acknowledged =
            wire.message(|message| find(message, br#""type":"connection_ack""#).is_some()).await?;
        ensure!(acknowledged, "the connection was not acknowledged");
        let payload = json!({ "query": SUBSCRIPTION, "variables": self.variables() });
        wire.send(&json!({ "type": "subscribe", "id": "1", "payload": payload }).to_string()).await?;
        Ok(wire)
    }

    fn variables(&self) -> serde_json::Value {
        json!({ "type": topic_name(self.topic) })
    }

    /// Listens until the stream breaks.
    async fn listen(&self, mut wire: Wire, board: &Board) -> anyhow::Result<()> {
        let mut expected = self.first;
        loop {
            let version =
                if self.by_socket { wire.message(version_in).await? } else { wire.event(version_in).await? };
            let version = version.context("an event without a version")?;
            expected = board.received(self.topic, version, expected);
        }
    }
}

/// What the entities of a topic are.
pub(crate) fn topic_name(topic: usize) -> String {
    format!("topic-{topic}")
}

fn upgrade(address: SocketAddr, path: &str, more: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

async fn answered(mut wire: Wire, expected: u16) -> anyhow::Result<Wire> {
    let status = wire.status().await?;
    ensure!(status == expected, "a subscriber was answered with {status}: {}", wire.rest().await?);
    Ok(wire)
}

/// The version that an event tells of.
fn version_in(data: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"\"version\":";
    let digits = &data[find(data, NAME)? + NAME.len()..];
    let end = digits.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_an_event_is_found() {
        assert_eq!(version_in(br#"{"data":{"entityChanged":{"id":"x","version":17,"at":"y"}}}"#), Some(17));
        assert_eq!(version_in(br#"{"errors":[]}"#), None);
    }
}
