//! A stream of answers as the body of an HTTP response.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use metrics::{counter, gauge};

use super::outlet::{Cut, Outlet};
use super::{End, Ending};
use crate::gateway::State;
use crate::http::LongLived;
use crate::http::negotiate::StreamType;
use crate::pipeline::Results;

/// Sends each answer as it comes, until there are no more, or until `ending` comes first. `lasts` says that they may come for
/// hours.
pub(crate) fn respond(
    state: &Arc<State>,
    (stream_type, lasts): (StreamType, bool),
    ending: Ending,
    results: Results,
) -> Response {
    let config = &state.config.subscriptions;
    let (outlet, body) = Outlet::open(config.slow_client_timeout);
    let drain = ending.drain().clone();
    let writer = Box::new(Writer { stream_type, outlet, keep_alive: config.keep_alive, results, ending });
    drain.spawn(writer.run());
    head(stream_type, lasts, body)
}

/// A response that streams, and the connection with it where it lasts.
pub(super) fn head(stream_type: StreamType, lasts: bool, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, stream_type.content_type()),
        (CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        // nginx would keep events back until it has some kilobytes of them.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (lasts.then_some(Extension(LongLived)), headers, body).into_response()
}

struct Writer {
    stream_type: StreamType,
    outlet: Outlet,
    keep_alive: Duration,
    results: Results,
    ending: Ending,
}

impl Writer {
    async fn run(mut self: Box<Self>) {
        gauge!("pulse_gateway_streams", "transport" => self.transport()).increment(1.0);
        let reason = self.write().await.unwrap_or_else(|cut| {
            if cut == Cut::Slow {
                let (failed, closing) =
                    (self.stream_type.failed(&[End::Slow.error()]), self.stream_type.closing());
                self.outlet.end_with([failed, closing].concat().into());
            }
            cut.reason()
        });
        gauge!("pulse_gateway_streams", "transport" => self.transport()).decrement(1.0);
        counter!("pulse_gateway_streams_ended_total", "transport" => self.transport(), "reason" => reason)
            .increment(1);
    }

    async fn write(&mut self) -> Result<&'static str, Cut> {
        let Self { stream_type, outlet, keep_alive, results, ending } = self;
        outlet.send(stream_type.opening()).await?;
        let reason = loop {
            tokio::select! {
                biased;
                () = outlet.closed() => return Err(Cut::Left),
                end = ending.come() => {
                    outlet.send(stream_type.failed(&[end.error()])).await?;
                    break end.reason();
                }
                result = results.next() => match result {
                    Some(Ok(result)) => outlet.send(stream_type.next(&result)).await?,
                    Some(Err(refusal)) => {
                        outlet.send(stream_type.failed(&refusal.errors)).await?;
                        break refusal.errors.first().and_then(|error| error.reason).unwrap_or("ERROR");
                    }
                    None => break "COMPLETE",
                },
                () = tokio::time::sleep(*keep_alive) => {
                    outlet.send(stream_type.heartbeat()).await?;
                }
            }
        };
        outlet.send(stream_type.closing()).await?;
        Ok(reason)
    }

    const fn transport(&self) -> &'static str {
        match self.stream_type {
            StreamType::EventStream => "sse",
            StreamType::Multipart => "multipart",
        }
    }
}
