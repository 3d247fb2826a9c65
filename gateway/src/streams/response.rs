//! A stream of answers as the body of an HTTP response.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{StreamExt, stream};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use metrics::{counter, gauge};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::{End, Ending};
use crate::gateway::State;
use crate::http::negotiate::StreamType;
use crate::pipeline::Results;

/// How many pieces of a body wait for the connection.
const PIECES: usize = 8;

/// Sends each answer as it comes, until there are no more, or until `ending` comes first.
pub(crate) fn respond(
    state: &Arc<State>,
    stream_type: StreamType,
    ending: Ending,
    results: Results,
) -> Response {
    let (sender, receiver) = mpsc::channel(PIECES);
    let config = &state.config.subscriptions;
    let writer =
        Writer { stream_type, sender, keep_alive: config.keep_alive, patience: config.slow_client_timeout };
    let drain = ending.drain().clone();
    drain.spawn(writer.run(results, ending));
    (headers(stream_type.content_type()), body(receiver)).into_response()
}

/// The head of a response that streams.
pub(super) fn headers(content_type: HeaderValue) -> [(HeaderName, HeaderValue); 3] {
    [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        // nginx would keep events back until it has some kilobytes of them.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ]
}

/// A body of pieces as they come.
pub(super) fn body(mut pieces: mpsc::Receiver<Bytes>) -> Body {
    Body::from_stream(stream::poll_fn(move |context| {
        pieces.poll_recv(context).map(|piece| piece.map(Ok::<_, Infallible>))
    }))
}

struct Writer {
    stream_type: StreamType,
    sender: mpsc::Sender<Bytes>,
    keep_alive: Duration,
    patience: Duration,
}

/// The client is gone, or as good as gone.
struct Gone;

impl Writer {
    async fn run(self, results: Results, ending: Ending) {
        gauge!("pulse_gateway_streams", "transport" => self.transport()).increment(1.0);
        let reason = self.write(results, ending).await.unwrap_or("CLIENT_LEFT");
        gauge!("pulse_gateway_streams", "transport" => self.transport()).decrement(1.0);
        counter!("pulse_gateway_streams_ended_total", "transport" => self.transport(), "reason" => reason)
            .increment(1);
    }

    async fn write(&self, mut results: Results, mut ending: Ending) -> Result<&'static str, Gone> {
        self.send(self.stream_type.opening()).await?;
        let reason = loop {
            tokio::select! {
                biased;
                () = self.sender.closed() => return Err(Gone),
                end = ending.come() => {
                    self.send(self.stream_type.failed(&[end.error()])).await?;
                    break end.reason();
                }
                result = results.next() => match result {
                    Some(Ok(result)) => self.send(self.stream_type.next(&result)).await?,
                    Some(Err(refusal)) => {
                        self.send(self.stream_type.failed(&refusal.errors)).await?;
                        break refusal.errors.first().and_then(|error| error.reason).unwrap_or("ERROR");
                    }
                    None => break "COMPLETE",
                },
                () = tokio::time::sleep(self.keep_alive) => {
                    self.send(self.stream_type.heartbeat()).await?;
                }
            }
        };
        self.send(self.stream_type.closing()).await?;
        Ok(reason)
    }

    async fn send(&self, piece: Bytes) -> Result<(), Gone> {
        let Ok(sent) = timeout(self.patience, self.sender.send(piece)).await else {
            tracing::info!(reason = End::Slow.reason(), "a client read nothing for too long and was cut off");
            return Err(Gone);
        };
        sent.map_err(|_| Gone)
    }

    const fn transport(&self) -> &'static str {
        match self.stream_type {
            StreamType::EventStream => "sse",
            StreamType::Multipart => "multipart",
        }
    }
}
