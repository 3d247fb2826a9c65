//! One connection: what comes in, what goes out, and what is silent for too long.

use std::collections::HashMap;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures::SinkExt;
use http::HeaderMap;
use metrics::gauge;
use pulse_types::RequestId;
use tokio::time::{sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::close::Close;
use super::credentials;
use super::message::{self, ClientMessage};
use super::operation::{Outgoing, Peer, Running};
use crate::config::bytes;
use crate::engine::{ErrorCode, RequestError};
use crate::gateway::State;
use crate::http::drain::Drain;
use crate::pipeline::{GraphqlRequest, authenticate};
use crate::streams::queue::{self, queue};
use crate::streams::{End, Ending, Place};
use crate::value::{Object, Text, Value};

/// How many messages of all operations together wait for the socket.
const OUTGOING: usize = 32;

/// After how many times of keeping alive a client that answers nothing is taken for gone.
const SILENCES: u32 = 3;

/// One connection.
pub(super) struct Connection {
    state: Arc<State>,
    socket: WebSocket,
    /// The head of the request that opened it, until it is initialised.
    opened: HeaderMap,
    /// Where that came from.
    address: Option<IpAddr>,
    /// Who it is, once acknowledged.
    peer: Option<Peer>,
    ending: Ending,
    operations: HashMap<Text, Operation>,
    /// How many operations there were so far.
    count: u64,
    sender: queue::Sender<Outgoing>,
    outgoing: queue::Receiver<Outgoing>,
    _place: Place,
}

/// An operation under way. Dropping it ends it.
struct Operation {
    number: u64,
    _task: AbortOnDropHandle<()>,
}

/// How a connection ends: with a reason for the client, or without anybody left to hear it.
type Ended = ControlFlow<Option<Close>>;

const CONTINUE: Ended = ControlFlow::Continue(());

fn close(why: impl Into<Close>) -> Ended {
    ControlFlow::Break(Some(why.into()))
}

impl Connection {
    pub(super) fn new(
        state: Arc<State>,
        (socket, place): (WebSocket, Place),
        (address, opened): (Option<IpAddr>, HeaderMap),
        drain: Drain,
    ) -> Box<Self> {
        let (sender, outgoing) = queue(OUTGOING);
        let ending = Ending::of_server(drain);
        let operations = HashMap::new();
        Box::new(Self {
            state,
            socket,
            opened,
            address,
            peer: None,
            ending,
            operations,
            count: 0,
            sender,
            outgoing,
            _place: place,
        })
    }

    /// Boxed, since a task holds what is moved into it more than once.
    pub(super) async fn serve(mut self: Box<Self>) {
        gauge!("pulse_gateway_sockets").increment(1.0);
        let reason = self.converse().await;
        self.operations.clear();
        gauge!("pulse_gateway_sockets").decrement(1.0);
        let Some(Close { code, reason }) = reason else { return };
        tracing::debug!(code, %reason, "closing a WebSocket connection");
        let frame = CloseFrame { code, reason: reason.as_ref().into() };
        let patience = self.state.config.subscriptions.slow_client_timeout;
        let farewell = async {
            self.socket.send(Message::Close(Some(frame))).await?;
            // The client answers with a close of its own; what it sent before that is of no interest any more.
            while self.socket.recv().await.is_some_and(|message| message.is_ok()) {}
            Ok::<_, axum::Error>(())
        };
        // Nobody is left to be told when this fails.
        drop(timeout(patience, farewell).await);
    }

    async fn converse(&mut self) -> Option<Close> {
        let config = &self.state.config.subscriptions;
        let keep_alive = config.keep_alive;
        let init_by = tokio::time::Instant::now() + config.connection_init_timeout;
        let mut heard = tokio::time::Instant::now();
        let mut asked = heard;
        loop {
            let acknowledged = self.peer.is_some();
            let ended = tokio::select! {
                end = self.ending.come() => close(end),
                () = sleep_until(init_by), if !acknowledged => close(Close::initialisation_timeout()),
                message = self.socket.recv() => {
                    heard = tokio::time::Instant::now();
                    asked = heard;
                    match message {
                        // Boxed, since clients say little: what waits should not be as large as this step.
                        Some(Ok(message)) => Box::pin(self.receive(message)).await,
                        Some(Err(error)) => self.broken(&error),
                        None => ControlFlow::Break(None),
                    }
                }
                Some(outgoing) = self.outgoing.recv() => self.forward(outgoing).await,
                () = sleep_until(asked + keep_alive) => {
                    asked = tokio::time::Instant::now();
                    let silence = asked - heard;
                    if silence >= keep_alive * SILENCES {
                        close(Close::silent(silence))
                    } else {
                        self.send(Message::Ping(Bytes::new())).await
                    }
                }
            };
            if let ControlFlow::Break(reason) = ended {
                return reason;
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Ended {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return close(Close::bad_message("Invalid message: it must be text")),
            Message::Ping(_) | Message::Pong(_) => return CONTINUE,
            Message::Close(_) => return ControlFlow::Break(None),
        };
        match ClientMessage::read(&text) {
            Ok(ClientMessage::ConnectionInit(payload)) => self.initialise(&payload).await,
            Ok(ClientMessage::Ping(payload)) => self.send(message::pong(payload.as_ref())).await,
            Ok(ClientMessage::Pong) => CONTINUE,
            Ok(ClientMessage::Subscribe { id, payload }) => self.subscribe(id, payload).await,
            Ok(ClientMessage::Complete { id }) => {
                drop(self.operations.remove(&*id));
                CONTINUE
            }
            Err(bad) => close(bad),
        }
    }

    async fn initialise(&mut self, payload: &Object) -> Ended {
        if self.peer.is_some() {
            return close(Close::too_many_initialisations());
        }
        let headers = credentials::with_payload(std::mem::take(&mut self.opened), payload);
        let id = RequestId::new(self.state.clock.now());
        let deadline = Instant::now() + self.state.config.request_timeout;
        let known = match authenticate(&self.state, (&headers, self.address), id, deadline).await {
            Ok(known) => known,
            Err(refusal) => {
                let error = refusal.errors.first();
                let message = error.map_or("", |error| error.message.as_str());
                return if error.is_some_and(|error| error.code == ErrorCode::Unauthenticated) {
                    close(Close::forbidden(message))
                } else {
                    close(Close::unavailable(message))
                };
            }
        };
        let watch = self.state.callers.watch(&known);
        let drain = self.ending.drain().clone();
        self.ending = Ending::of_credential(known.expires_at, watch, drain, &self.state.clock);
        let (headers, address) = (Arc::new(headers), self.address);
        self.peer = Some(Peer { caller: known.caller, terms: known.terms, headers, address });
        self.send(message::acknowledged()).await
    }

    async fn subscribe(&mut self, id: Text, payload: Value) -> Ended {
        let Some(peer) = self.peer.clone() else { return close(Close::unauthorized()) };
        if self.operations.contains_key(&*id) {
            return close(Close::subscriber_exists(&id));
        }
        let limit = self.state.config.subscriptions.operations_per_connection;
        if self.operations.len() >= limit {
            let text = format!("this connection has {limit} operations under way, which is the limit");
            let error = RequestError::new(ErrorCode::RateLimited, text).because("TOO_MANY_OPERATIONS");
            return self.send(message::error(&id, &[error])).await;
        }
        let request = match GraphqlRequest::from_value(payload) {
            Ok(request) => request,
            Err(refusal) => {
                let why = refusal.errors.first().map_or("", |error| error.message.as_str());
                return close(Close::bad_message(format!("Invalid message: {why}")));
            }
        };
        self.count += 1;
        let (state, outgoing) = (Arc::clone(&self.state), self.sender.clone());
        let running = Running { state, id: id.clone(), number: self.count, outgoing };
        let task = AbortOnDropHandle::new(tokio::spawn(running.run(Box::new((peer, request)))));
        self.operations.insert(id, Operation { number: self.count, _task: task });
        CONTINUE
    }

    /// Writes a message, and those that wait behind it, in one go.
    async fn forward(&mut self, first: Outgoing) -> Ended {
        let mut next = Some(first);
        while let Some(Outgoing { message, id, number, is_last }) = next {
            // The client may have ended the operation meanwhile, and may have used its id for another one.
            let is_current = self.operations.get(&*id).is_some_and(|operation| operation.number == number);
            if is_current && is_last {
                self.operations.remove(&*id);
            }
            if is_current && self.write(Some(message)).await.is_break() {
                return close(End::Slow);
            }
            next = self.outgoing.try_recv();
        }
        self.flush().await
    }

    async fn send(&mut self, message: Message) -> Ended {
        if self.write(Some(message)).await.is_break() { close(End::Slow) } else { self.flush().await }
    }

    async fn flush(&mut self) -> Ended {
        if self.write(None).await.is_break() { close(End::Slow) } else { CONTINUE }
    }

    /// Feeds a message, or flushes what was fed. Breaks when the client does not read.
    async fn write(&mut self, message: Option<Message>) -> ControlFlow<()> {
        let patience = self.state.config.subscriptions.slow_client_timeout;
        let writing = async {
            match message {
                Some(message) => self.socket.feed(message).await,
                None => self.socket.flush().await,
            }
        };
        match timeout(patience, writing).await {
            // A connection that broke is noticed where it is read.
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn broken(&self, error: &axum::Error) -> Ended {
        let source = std::error::Error::source(error);
        let source = source.and_then(|source| source.downcast_ref::<tokio_tungstenite::tungstenite::Error>());
        match source {
            Some(tokio_tungstenite::tungstenite::Error::Capacity(_)) => {
                close(Close::message_too_big(bytes(self.state.config.subscriptions.message_limit)))
            }
            Some(tokio_tungstenite::tungstenite::Error::Utf8(_)) => {
                close(Close::bad_message("Invalid message: it is not UTF-8"))
            }
            _ => ControlFlow::Break(None),
        }
    }
}
