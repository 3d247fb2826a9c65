//! A client that follows a subscription and comes back with its cursor, whatever ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use futures::{SinkExt, StreamExt};
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use super::expected::{Event, position};
use super::tenant::{TYPES, Tenant};
use super::{Round, pass, round_at};
use crate::support::events::Events;

const CHANGED: &str = "subscription ($filter: EntityChangeFilter, $after: String) {
    entityChanged(filter: $filter, after: $after) { kind cursor } }";

/// One client with a filter of its own.
pub(super) struct Client {
    number: u64,
    tenant: Tenant,
    over_socket: bool,
    types: Vec<&'static str>,
    kinds: Option<&'static str>,
    pause: Duration,
    heard: Mutex<Heard>,
    /// The last position that was heard.
    last: watch::Sender<i64>,
    connects: AtomicU64,
}

/// What it heard.
struct Heard {
    cursor: String,
    positions: Vec<i64>,
    /// What was said instead of an event last.
    problem: String,
}

impl Client {
    pub(super) fn new(number: u64, tenant: &Tenant, begin: String, mut random: StdRng) -> Self {
        let types = if random.random_bool(0.1) {
            Vec::new()
        } else {
            let count = random.random_range(1..=2);
            TYPES.choose_multiple(&mut random, count).copied().collect()
        };
        let kinds = *[None, None, Some("CREATED"), Some("UPDATED")].choose(&mut random).expect("there are");
        Self {
            number,
            tenant: tenant.clone(),
            over_socket: number % 4 < 2,
            types,
            kinds,
            pause: Duration::from_millis(random.random_range(5..100)),
            heard: Mutex::new(Heard { cursor: begin, positions: Vec::new(), problem: String::new() }),
            last: watch::Sender::new(0),
            connects: AtomicU64::new(0),
        }
    }

    /// Follows until `stop`.
    pub(super) async fn follow(self: std::sync::Arc<Self>, url: String, stop: CancellationToken) {
        loop {
            self.connects.fetch_add(1, Ordering::Relaxed);
            let ended = async {
                if self.over_socket { self.over_socket(&url).await } else { self.over_events(&url).await }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                ended = ended => if let Err(problem) = ended {
                    self.lock().problem = format!("{problem:#}");
                },
            }
            pass(self.pause).await;
        }
    }

    /// Whether it may hear of an event, and wants to.
    pub(super) fn wants(&self, event: &Event) -> bool {
        event.tenant == self.tenant.slug
            && self.kinds.is_none_or(|kind| kind.eq_ignore_ascii_case(&event.kind))
            && (self.types.is_empty() || event.types.iter().any(|name| self.types.contains(&name.as_str())))
    }

    /// Returns once it has heard of `position`, or of more.
    pub(super) async fn hears(&self, position: i64) {
        let mut last = self.last.subscribe();
        // The sender lives as long as `self`.
        drop(last.wait_for(|last| *last >= position).await);
    }

    pub(super) fn count(&self) -> usize {
        self.lock().positions.len()
    }

    pub(super) fn connects(&self) -> u64 {
        self.connects.load(Ordering::Relaxed)
    }

    /// Compares what it heard with what it had to hear; the error says what is missing, doubled, foreign or out of order.
    pub(super) fn compare(&self, wanted: &[Event], rounds: &[Round]) -> Result<(), String> {
        let heard = self.lock();
        let wanted_positions: Vec<_> = wanted.iter().map(|event| event.position).collect();
        if heard.positions == wanted_positions {
            return Ok(());
        }
        let missing: Vec<_> = wanted
            .iter()
            .filter(|event| !heard.positions.contains(&event.position))
            .map(|event| format!("{:x} of round {}", event.position, round_at(rounds, event.at)))
            .collect();
        let mut sorted = heard.positions.clone();
        sorted.sort_unstable();
        let doubled: Vec<_> = sorted
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| format!("{:x}", pair[0]))
            .collect();
        let foreign: Vec<_> = sorted.iter().filter(|position| !wanted_positions.contains(position)).collect();
        let transport = if self.over_socket { "WebSocket" } else { "SSE" };
        Err(format!(
            "client {} of {} over {transport}, {:?} {:?}: missing {missing:?}, doubled {doubled:?}, not wanted {foreign:?}, in order {}; last problem: {}",
            self.number,
            self.tenant.slug,
            self.types,
            self.kinds,
            heard.positions.is_sorted(),
            heard.problem
        ))
    }

    async fn over_events(&self, url: &str) -> anyhow::Result<()> {
        let mut events = Events::open(url, &self.tenant.token(), CHANGED, self.variables()).await?;
        while let Some(answer) = events.said().await? {
            self.take(&answer)?;
        }
        Ok(())
    }

    async fn over_socket(&self, url: &str) -> anyhow::Result<()> {
        let address = url.trim_start_matches("http://");
        let mut request = format!("ws://{address}/graphql").into_client_request()?;
        request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
        let (mut socket, _) = client_async(request, TcpStream::connect(address).await?).await?;
        let authorization = format!("Bearer {}", self.tenant.token());
        let init = json!({ "type": "connection_init", "payload": { "authorization": authorization } });
        socket.send(Message::text(init.to_string())).await?;
        let payload = json!({ "query": CHANGED, "variables": self.variables() });
        let subscribe = json!({ "type": "subscribe", "id": "1", "payload": payload });
        socket.send(Message::text(subscribe.to_string())).await?;
        while let Some(message) = socket.next().await {
            match message? {
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text)?;
                    match message["type"].as_str() {
                        Some("next") => self.take(&message["payload"])?,
                        Some("error") => anyhow::bail!("{message}"),
                        Some("complete") => return Ok(()),
                        _ => {}
                    }
                }
                Message::Close(frame) => anyhow::bail!("closed: {frame:?}"),
                _ => {}
            }
        }
        Ok(())
    }

    fn variables(&self) -> Value {
        let mut filter = json!({});
        if !self.types.is_empty() {
            filter["types"] = json!(self.types);
        }
        if let Some(kind) = self.kinds {
            filter["kinds"] = json!([kind]);
        }
        json!({ "filter": filter, "after": self.lock().cursor })
    }

    fn take(&self, answer: &Value) -> anyhow::Result<()> {
        anyhow::ensure!(answer.get("errors").is_none(), "{answer}");
        let cursor = answer["data"]["entityChanged"]["cursor"].as_str().context("an event has a cursor")?;
        let position = position(cursor).context("a cursor has a position")?;
        let mut heard = self.lock();
        heard.positions.push(position);
        cursor.clone_into(&mut heard.cursor);
        drop(heard);
        self.last.send_replace(position);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
