//! Operations of gateways over WebSocket (`graphql-transport-ws`). One socket carries the operations of many callers, so
//! that each `subscribe` message brings the token of its own.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Request, Value};
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures::StreamExt;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::server::{BODY_LIMIT, Served};

/// Where a `subscribe` message's `extensions` carry the signed caller.
pub const CALLER_EXTENSION: &str = "pulseCaller";

/// How many answers of all operations together wait for the socket.
const OUTGOING: usize = 64;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    ConnectionInit {},
    Ping {},
    Pong {},
    Subscribe { id: String, payload: Box<Request> },
    Complete { id: String },
}

/// An answer on its way; the last one frees the operation's id.
struct Outgoing {
    id: String,
    text: String,
    is_last: bool,
}

struct Connection {
    served: Arc<Served>,
    socket: WebSocket,
    running: HashMap<String, AbortOnDropHandle<()>>,
    sender: mpsc::Sender<Outgoing>,
}

pub(crate) async fn upgrade(State(served): State<Arc<Served>>, upgrade: WebSocketUpgrade) -> Response {
    let upgrade = upgrade.protocols(["graphql-transport-ws"]).max_message_size(BODY_LIMIT);
    upgrade.on_upgrade(async move |socket| {
        let (sender, outgoing) = mpsc::channel(OUTGOING);
        let connection = Connection { served, socket, running: HashMap::new(), sender };
        connection.serve(outgoing).await;
    })
}

impl Connection {
    async fn serve(mut self, mut outgoing: mpsc::Receiver<Outgoing>) {
        loop {
            let goes_on = tokio::select! {
                message = self.socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => self.receive(&text).await,
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => true,
                    Some(Ok(Message::Binary(_))) => self.close("messages are text").await,
                    Some(Ok(Message::Close(_)) | Err(_)) | None => false,
                },
                Some(Outgoing { id, text, is_last }) = outgoing.recv() => {
                    // What the gateway ended says nothing more.
                    let is_running = if is_last {
                        self.running.remove(&id).is_some()
                    } else {
                        self.running.contains_key(&id)
                    };
                    !is_running || self.send(text).await
                }
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Whether the connection goes on.
    async fn receive(&mut self, text: &str) -> bool {
        match serde_json::from_str(text) {
            Ok(Incoming::ConnectionInit {}) => {
                self.send(json!({ "type": "connection_ack" }).to_string()).await
            }
            Ok(Incoming::Ping {}) => self.send(json!({ "type": "pong" }).to_string()).await,
            Ok(Incoming::Pong {}) => true,
            Ok(Incoming::Subscribe { id, .. }) if self.running.contains_key(&id) => {
                self.close("this id is in use").await
            }
            Ok(Incoming::Subscribe { id, payload }) => self.subscribe(id, *payload).await,
            Ok(Incoming::Complete { id }) => {
                self.running.remove(&id);
                true
            }
            Err(_) => self.close("this is no message of graphql-transport-ws").await,
        }
    }

    async fn subscribe(&mut self, id: String, mut request: Request) -> bool {
        let token = match request.extensions.remove(CALLER_EXTENSION) {
            Some(Value::String(token)) => Some(token),
            _ => None,
        };
        let caller = match self.served.caller(token.as_deref(), CALLER_EXTENSION) {
            Ok(caller) => Arc::new(caller),
            Err(problem) => {
                let error = json!({ "message": problem, "extensions": { "code": "UNAUTHENTICATED" } });
                return self.send(json!({ "id": id, "type": "error", "payload": [error] }).to_string()).await;
            }
        };
        let api = Arc::clone(&self.served.subgraph.api);
        let (sender, operation) = (self.sender.clone(), id.clone());
        let task = tokio::spawn(async move {
            let id = operation;
            let mut answers = api.subscribe(caller, request).await;
            while let Some(answer) = answers.next().await {
                let text = json!({ "id": id, "type": "next", "payload": answer }).to_string();
                if sender.send(Outgoing { id: id.clone(), text, is_last: false }).await.is_err() {
                    return;
                }
            }
            let text = json!({ "id": id, "type": "complete" }).to_string();
            // The connection may be gone.
            drop(sender.send(Outgoing { id, text, is_last: true }).await);
        });
        self.running.insert(id, AbortOnDropHandle::new(task));
        true
    }

    async fn send(&mut self, text: String) -> bool {
        self.socket.send(Message::text(text)).await.is_ok()
    }

    async fn close(&mut self, reason: &'static str) -> bool {
        let frame = CloseFrame { code: 4400, reason: reason.into() };
        // The gateway may be gone already.
        drop(self.socket.send(Message::Close(Some(frame))).await);
        false
    }
}
