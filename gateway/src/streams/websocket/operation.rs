//! One operation of a connection, from its `subscribe` to its last message.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::ws::Message;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use metrics::{counter, gauge};
use pulse_types::{Caller, RequestId};

use super::message;
use crate::engine::ExecutionResult;
use crate::gateway::State;
use crate::pipeline::{Answer, Client, GraphqlRequest, Refusal, Results, Summary, Transport, operate};
use crate::ports::Terms;
use crate::streams::queue;
use crate::value::{Text, Value};

/// A message on its way to the client.
pub(super) struct Outgoing {
    pub(super) message: Message,
    pub(super) id: Text,
    /// Which of the operations with this id it belongs to.
    pub(super) number: u64,
    /// Whether it is the operation's last: its id is free once more.
    pub(super) is_last: bool,
}

/// Who sends operations over a connection.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) caller: Arc<Caller>,
    pub(super) terms: Option<Arc<Terms>>,
    pub(super) headers: Arc<HeaderMap>,
    pub(super) address: Option<IpAddr>,
}

/// An operation under way.
pub(super) struct Running {
    pub(super) state: Arc<State>,
    pub(super) id: Text,
    pub(super) number: u64,
    pub(super) outgoing: queue::Sender<Outgoing>,
}

/// The connection is gone.
struct Gone;

impl Running {
    pub(super) async fn run(self, asked: Box<(Peer, GraphqlRequest)>) {
        // When the connection is gone, nobody is left to be told.
        let _ended: Result<(), Gone> = self.answer(asked).await;
    }

    async fn answer(&self, asked: Box<(Peer, GraphqlRequest)>) -> Result<(), Gone> {
        // Boxed, so that it is gone once the stream is open.
        match Box::pin(self.begin(*asked)).await {
            Ok(Answer::Once(result)) => self.once(&result).await,
            Ok(Answer::Stream(results)) => {
                gauge!("pulse_gateway_streams", "transport" => "websocket").increment(1.0);
                let open = Open;
                let reason = self.stream(results).await?;
                drop(open);
                let labels = [("transport", "websocket"), ("reason", reason)];
                counter!("pulse_gateway_streams_ended_total", &labels).increment(1);
                Ok(())
            }
            Err(refusal) => self.last(message::error(&self.id, &refusal.errors)).await,
        }
    }

    async fn begin(&self, (peer, request): (Peer, GraphqlRequest)) -> Result<Answer, Refusal> {
        let id = RequestId::new(self.state.clock.now());
        let mut summary = Summary::begin(id);
        let caller = Arc::new(Caller { request: id, ..Caller::clone(&peer.caller) });
        let deadline = Instant::now() + self.state.config.request_timeout;
        let Peer { caller: _, terms, headers, address } = peer;
        let client = Client { caller, terms, headers, address, transport: Transport::WebSocket, deadline };
        let mut answer = operate(&self.state, &client, request, &mut summary).await;
        if let Err(refusal) = &mut answer {
            refusal.name_request(id);
            summary.refused(refusal);
        }
        summary.end(answer.as_ref().map_or_else(|refusal| refusal.status, |_| StatusCode::OK));
        answer
    }

    async fn once(&self, result: &ExecutionResult) -> Result<(), Gone> {
        if let Some(message) = self.refused(result) {
            return self.last(message).await;
        }
        self.send(message::next(&self.id, &result.body)).await?;
        self.last(message::complete(&self.id)).await
    }

    /// A result that says that nothing was executed is an `error`.
    fn refused(&self, result: &ExecutionResult) -> Option<Message> {
        if !result.request_error {
            return None;
        }
        let mut body = Value::parse(&result.body).ok()?;
        let errors: Bytes = body.as_object_mut()?.remove("errors")?.to_bytes();
        Some(message::error_as_written(&self.id, &errors))
    }

    async fn stream(&self, mut results: Results) -> Result<&'static str, Gone> {
        while let Some(result) = results.next().await {
            match result {
                Ok(result) => self.send(message::next(&self.id, &result.body)).await?,
                Err(refusal) => {
                    let reason = refusal.errors.first().and_then(|error| error.reason);
                    self.last(message::error(&self.id, &refusal.errors)).await?;
                    return Ok(reason.unwrap_or("ERROR"));
                }
            }
        }
        self.last(message::complete(&self.id)).await?;
        Ok("COMPLETE")
    }

    async fn send(&self, message: Message) -> Result<(), Gone> {
        self.put(message, false).await
    }

    async fn last(&self, message: Message) -> Result<(), Gone> {
        self.put(message, true).await
    }

    async fn put(&self, message: Message, is_last: bool) -> Result<(), Gone> {
        let outgoing = Outgoing { message, id: self.id.clone(), number: self.number, is_last };
        if self.outgoing.send(outgoing).await { Ok(()) } else { Err(Gone) }
    }
}

/// Counts a stream for as long as it is open, however it ends.
struct Open;

impl Drop for Open {
    fn drop(&mut self) {
        gauge!("pulse_gateway_streams", "transport" => "websocket").decrement(1.0);
    }
}
