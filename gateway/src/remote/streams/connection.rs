//! One socket and the streams that it carries.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, Uri};
use metrics::gauge;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::handshake::{self, Socket, broken};
use super::message::{self, ServerMessage};
use super::{Bounds, Outlet};
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::remote::client::Connector;

/// How long a stream that is not read keeps the others of its socket waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// After how many times of asking a subgraph that answers nothing is taken for gone.
const SILENCES: u32 = 2;

/// A handle to a socket. The socket closes when it has carried nothing for a while.
pub(super) struct Connection {
    commands: mpsc::UnboundedSender<Command>,
    streams: Arc<AtomicUsize>,
    ids: AtomicU64,
}

pub(super) enum Command {
    Subscribe { id: u64, payload: Bytes, outlet: Outlet },
    Complete(u64),
}

impl Connection {
    pub(super) async fn open(
        connector: &Connector,
        (uri, headers): (&Uri, &HeaderMap),
        bounds: &Bounds,
    ) -> Result<Self, SubgraphFault> {
        let socket = handshake::open(connector, (uri, headers), bounds).await?;
        let (commands, receiver) = mpsc::unbounded_channel();
        let streams = Arc::new(AtomicUsize::new(0));
        let carrier =
            Carrier { socket, streams: HashMap::new(), count: Arc::clone(&streams), bounds: bounds.clone() };
        tokio::spawn(carrier.run(receiver));
        Ok(Self { commands, streams, ids: AtomicU64::new(1) })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.commands.is_closed()
    }

    pub(super) fn streams(&self) -> usize {
        self.streams.load(Ordering::Acquire)
    }

    /// Begins a stream; `None` when the socket is closed.
    pub(super) fn subscribe(
        &self,
        payload: Bytes,
        outlet: Outlet,
    ) -> Option<(mpsc::UnboundedSender<Command>, u64)> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        self.streams.fetch_add(1, Ordering::AcqRel);
        self.commands.send(Command::Subscribe { id, payload, outlet }).ok()?;
        Some((self.commands.clone(), id))
    }
}

/// The connection broke off.
pub(super) fn closed() -> SubgraphFault {
    SubgraphFault::Unreachable(Arc::new(io::Error::new(
        io::ErrorKind::ConnectionReset,
        "the socket was closed",
    )))
}

struct Carrier {
    socket: Socket,
    streams: HashMap<u64, Outlet>,
    /// How many streams it carries, with those that are on their way to it.
    count: Arc<AtomicUsize>,
    bounds: Bounds,
}

impl Carrier {
    async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        gauge!("pulse_gateway_upstream_sockets").increment(1.0);
        let fault = self.carry(&mut commands).await.err().unwrap_or_else(closed);
        // What is on its way to this socket is told by its outlet that the socket is closed.
        commands.close();
        for (_, outlet) in self.streams.drain() {
            outlet.end(Some(fault.clone()));
        }
        // The subgraph may be gone already.
        drop(timeout(PATIENCE, self.socket.close(None)).await);
        gauge!("pulse_gateway_upstream_sockets").decrement(1.0);
    }

    /// Returns when there is nothing left to carry.
    async fn carry(&mut self, commands: &mut mpsc::UnboundedReceiver<Command>) -> Result<(), SubgraphFault> {
        let (mut heard, mut asked) = (Instant::now(), Instant::now());
        let mut idle_since = Instant::now();
        loop {
            let is_idle = self.streams.is_empty();
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => {
                        self.obey(command).await?;
                        idle_since = Instant::now();
                    }
                    None => return Ok(()),
                },
                message = self.socket.next() => {
                    let message = message.ok_or_else(closed)?.map_err(broken)?;
                    heard = Instant::now();
                    asked = heard;
                    self.receive(message).await?;
                    idle_since = if is_idle { idle_since } else { heard };
                }
                () = sleep_until(asked + self.bounds.keep_alive) => {
                    asked = Instant::now();
                    let silence = asked - heard;
                    if silence > self.bounds.keep_alive * (SILENCES + 1) {
                        return Err(SubgraphFault::TimedOut(silence));
                    }
                    self.write(Message::Ping(Bytes::new())).await?;
                }
                () = sleep_until(idle_since + self.bounds.idle), if is_idle => return Ok(()),
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), SubgraphFault> {
        match command {
            Command::Subscribe { id, payload, outlet } => {
                self.streams.insert(id, outlet);
                self.write(message::subscribe(id, &payload)).await
            }
            Command::Complete(id) if self.forget(id).is_some() => self.write(message::complete(id)).await,
            Command::Complete(_) => Ok(()),
        }
    }

    async fn receive(&mut self, message: Message) -> Result<(), SubgraphFault> {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return Err(closed()),
            _ => return Ok(()),
        };
        match ServerMessage::read(&text) {
            ServerMessage::Next(id, Ok(response)) => self.hand_on(id, response).await,
            ServerMessage::Next(id, Err(fault)) => {
                self.end(id, Some(fault));
                self.write(message::complete(id)).await
            }
            ServerMessage::Error(id, response) => {
                self.hand_on(id, response).await?;
                self.end(id, None);
                Ok(())
            }
            ServerMessage::Complete(id) => {
                self.end(id, None);
                Ok(())
            }
            ServerMessage::Ping => self.write(message::pong()).await,
            ServerMessage::Other => Ok(()),
        }
    }

    /// Hands an event on. A stream that is not read is ended, so that the others go on.
    async fn hand_on(&mut self, id: u64, response: SubgraphResponse) -> Result<(), SubgraphFault> {
        let Some(outlet) = self.streams.get(&id) else { return Ok(()) };
        if timeout(PATIENCE, outlet.items.send(response)).await.is_ok() {
            // A reader that is gone says so itself.
            return Ok(());
        }
        let fault = SubgraphFault::Malformed("it sends events faster than they are read".to_owned());
        self.end(id, Some(fault));
        self.write(message::complete(id)).await
    }

    fn end(&mut self, id: u64, fault: Option<SubgraphFault>) {
        if let Some(outlet) = self.forget(id) {
            outlet.end(fault);
        }
    }

    fn forget(&mut self, id: u64) -> Option<Outlet> {
        let outlet = self.streams.remove(&id);
        if outlet.is_some() {
            self.count.fetch_sub(1, Ordering::AcqRel);
        }
        outlet
    }

    async fn write(&mut self, message: Message) -> Result<(), SubgraphFault> {
        let patience = self.bounds.keep_alive;
        let written = timeout(patience, self.socket.send(message)).await;
        written.map_err(|_| SubgraphFault::TimedOut(patience))?.map_err(broken)
    }
}

impl Outlet {
    /// Says how the stream ended; what waits is read first.
    fn end(self, fault: Option<SubgraphFault>) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }
}
