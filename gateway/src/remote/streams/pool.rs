//! The sockets of a process to its subgraphs: as few as carry all of their streams.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use futures::stream::{BoxStream, Stream, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use tokio::sync::{Mutex as Turn, mpsc};

use super::connection::{Command, Connection};
use super::{Bounds, Item, Outlet, WAITING};
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::remote::client::Connector;

/// All sockets to one subgraph. The headers that the rules make of a client's own are part of the request that opens a
/// socket, so that clients who differ in them have sockets of their own.
pub(in crate::remote) struct Sockets {
    connector: Connector,
    uri: Uri,
    bounds: Bounds,
    places: Mutex<HashMap<Key, Arc<Turn<Place>>>>,
}

/// Headers in an order of their own.
type Key = Vec<(HeaderName, HeaderValue)>;

/// From how many places on those without sockets are forgotten.
const MANY: usize = 64;

/// Sockets that were opened with the same headers. Whoever opens one keeps the others waiting, so that they share it.
#[derive(Default)]
struct Place {
    open: Vec<Connection>,
    /// When the last one could not be opened, and why: those who waited meanwhile need not try it again.
    failed: Option<(Instant, SubgraphFault)>,
}

impl Sockets {
    /// None yet.
    pub(super) fn new(connector: Connector, uri: Uri, bounds: Bounds) -> Self {
        Self { connector, uri, bounds, places: Mutex::default() }
    }

    /// Opens a stream: sends `payload`, a request as JSON, in a `subscribe` message.
    pub(in crate::remote) async fn subscribe(
        &self,
        headers: &HeaderMap,
        payload: Bytes,
    ) -> Result<BoxStream<'static, Item>, SubgraphFault> {
        let asked = Instant::now();
        let place = self.place(headers);
        let mut place = place.lock().await;
        place.open.retain(Connection::is_open);
        let free = place.open.iter().find(|socket| socket.streams() < self.bounds.streams);
        if let Some(events) = free.and_then(|socket| open(socket, payload.clone())) {
            return Ok(events.boxed());
        }
        if let Some((at, fault)) = &place.failed
            && *at > asked
        {
            return Err(fault.clone());
        }
        match Connection::open(&self.connector, (&self.uri, headers), &self.bounds).await {
            Ok(socket) => {
                let events = open(&socket, payload);
                place.open.push(socket);
                events.map(StreamExt::boxed).ok_or_else(super::connection::closed)
            }
            Err(fault) => {
                place.failed = Some((Instant::now(), fault.clone()));
                Err(fault)
            }
        }
    }

    fn place(&self, headers: &HeaderMap) -> Arc<Turn<Place>> {
        let mut key: Key = headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        key.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() >= MANY {
            places.retain(|_, place| {
                place.try_lock().map_or(true, |place| place.open.iter().any(Connection::is_open))
            });
        }
        Arc::clone(places.entry(key).or_default())
    }
}

fn open(socket: &Connection, payload: Bytes) -> Option<Events> {
    let (items, waiting) = mpsc::channel(WAITING);
    // Until it is told otherwise, a stream ends because its socket does.
    let ended = Arc::new(Mutex::new(Some(super::connection::closed())));
    let outlet = Outlet { items, ended: Arc::clone(&ended) };
    let (commands, id) = socket.subscribe(payload, outlet)?;
    Some(Events { id, commands, waiting, ended, is_over: false })
}

/// The events of one stream over a socket. Dropping them ends the stream.
struct Events {
    id: u64,
    commands: mpsc::UnboundedSender<Command>,
    waiting: mpsc::Receiver<SubgraphResponse>,
    ended: Arc<Mutex<Option<SubgraphFault>>>,
    is_over: bool,
}

impl Stream for Events {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        match self.waiting.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(response)) => Poll::Ready(Some(Ok(response))),
            Poll::Ready(None) => {
                self.is_over = true;
                let fault = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
                Poll::Ready(fault.map(Err))
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // The socket may be gone already.
        drop(self.commands.send(Command::Complete(self.id)));
    }
}
