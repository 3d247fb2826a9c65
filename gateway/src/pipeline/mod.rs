//! A request's way through the gateway: one file a step, in the order of [`steps`].

mod authenticate;
mod authorize;
mod batch;
mod charge;
mod client_head;
mod csrf;
mod execute;
mod find_document;
mod live;
mod meter;
mod operate;
mod operation_names;
mod prepare;
mod published;
mod read_request;
mod refusal;
mod respond;
mod reuse;
mod share;
mod summary;
mod terms;
mod variant;

use std::sync::Arc;
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt;
use http::HeaderMap;
use pulse_types::RequestId;
use tokio::time::timeout_at;
use tracing::Instrument as _;

use crate::engine::ExecutionResult;
use crate::gateway::State;
use crate::http::PeerAddress;
use crate::http::drain::Drain;
use crate::http::negotiate::{Accepted, MediaType};
use crate::streams::{self, Ending};
use crate::trace;
use crate::uploads::Uploads;

pub(crate) use authenticate::authenticate;
pub(crate) use live::ask_again;
pub(crate) use operate::{Answer, Client, Repeatable, Results, Transport, operate, resubscribe};
pub(crate) use operation_names::OperationNames;
pub(crate) use published::published;
pub(crate) use read_request::{Arrival, GraphqlRequest, read_json, read_request};
pub(crate) use refusal::{METHODS, Refusal};
pub(crate) use respond::refuse;
pub(crate) use share::{Execution, Executions};
pub(crate) use summary::Summary;

use read_request::Incoming;

/// Marks a request, by its extensions, whose document is this process's own: modes of published operations do not hold it.
#[derive(Debug, Clone, Copy)]
pub struct MadeHere;

/// Answers a GraphQL request.
pub(crate) async fn run(state: &Arc<State>, request: Request) -> Response {
    let id = *request.extensions().get::<RequestId>().expect("the router names every request");
    let mut summary = Summary::begin(id);
    let span = trace::request(&request);
    let accepted = Accepted::negotiate(request.headers());
    let outcome = match accepted {
        None => Err(Refusal::not_acceptable()),
        Some(accepted) => steps(state, request, accepted, &mut summary).instrument(span.clone()).await,
    };
    let media_type = accepted.and_then(|accepted| accepted.once).unwrap_or(MediaType::Json);
    let mut response = match outcome {
        Ok(Outcome::Once(result)) => respond::answer(media_type, result),
        Ok(Outcome::Batch(result, headers)) => respond::answer(media_type.for_lists(&headers), result),
        Ok(Outcome::Stream(response)) => response,
        Err(refusal) => {
            summary.refused(&refusal);
            respond::refuse(media_type, refusal, id)
        }
    };
    response.headers_mut().extend(summary.told());
    trace::answered(&span, response.status());
    summary.end(response.status());
    response
}

/// What a request comes to.
enum Outcome {
    Once(ExecutionResult),
    /// A list of results, for the request with this head.
    Batch(ExecutionResult, Arc<HeaderMap>),
    Stream(Response),
}

async fn steps(
    state: &Arc<State>,
    request: Request,
    accepted: Accepted,
    summary: &mut Summary,
) -> Result<Outcome, Refusal> {
    let id = summary.request();
    let arrival = Arrival::now(&state.config);
    let deadline = arrival.deadline;
    let (mut parts, body) = request.into_parts();
    let reading = read_request(&mut parts, body, &state.config, arrival);
    let mut incoming = reading.instrument(trace::step!("read_request")).await?;
    if let Incoming::One(request) = &mut incoming {
        request.is_made_here = parts.extensions.get::<MadeHere>().is_some();
    }
    let uploads = incoming.uploads();
    let authenticating = authenticate(state, (&parts.headers, PeerAddress::of(&parts)), id, deadline);
    let known = authenticating.instrument(trace::step!("authenticate")).await?;
    let address = PeerAddress::of(&parts);
    let drain = parts.extensions.get::<Drain>().cloned().unwrap_or_default();
    let headers =
        Arc::new(if accepted.stream.is_some() { streams::kept(&parts.headers) } else { parts.headers });
    let transport = accepted.stream.into();
    let (caller, terms) = (Arc::clone(&known.caller), known.terms.clone());
    let client = Client { caller, terms, headers, address, transport, deadline };
    let request = match incoming {
        Incoming::One(request) => *request,
        Incoming::Batch(requests) => {
            summary.batch(&client.caller);
            let result = Box::pin(batch::run(state, &client, requests, id)).await;
            discard(uploads.as_ref(), deadline).await;
            return Ok(Outcome::Batch(result, client.headers));
        }
    };
    let answer = operate(state, &client, request, summary).await;
    discard(uploads.as_ref(), deadline).await;
    let answer = without_lost_files(answer, uploads.as_ref());
    let (results, stream_type, lasts) = match (answer, accepted.stream) {
        (Ok(Answer::Stream(results)), Some(stream_type)) => (results, stream_type, true),
        (Ok(Answer::Stream(_)), None) => return Err(Refusal::needs_stream()),
        (Ok(Answer::Once(result)), Some(stream_type)) if accepted.always_stream => {
            (once(Ok(result)), stream_type, false)
        }
        (Ok(Answer::Once(result)), _) => return Ok(Outcome::Once(result)),
        // Whoever reads events is told so too of what is wrong with an operation.
        (Err(refusal), Some(stream_type)) if accepted.always_stream && refusal.well_formed => {
            summary.refused(&refusal);
            (once(Err(refusal)), stream_type, false)
        }
        (Err(refusal), _) => return Err(refusal),
    };
    let watch = state.callers.watch(&known);
    let ending = Ending::of_credential(known.expires_at, watch, drain, &state.clock);
    Ok(Outcome::Stream(streams::response::respond(state, (stream_type, lasts), ending, results)))
}

/// Reads what nobody wanted of a request with files.
async fn discard(uploads: Option<&Uploads>, deadline: Instant) {
    if let Some(uploads) = uploads {
        // Time that is up is told by whatever waited for it.
        let _in_time = timeout_at(deadline.into(), uploads.discard()).await;
    }
}

/// A request that did nothing, because it brought a file that cannot be taken, is refused as a whole.
fn without_lost_files(answer: Result<Answer, Refusal>, uploads: Option<&Uploads>) -> Result<Answer, Refusal> {
    let failure = uploads.and_then(Uploads::failure);
    match (answer, failure) {
        (Ok(Answer::Once(result)), Some(failure)) if result.fetches.iter().all(|fetch| fetch.errors > 0) => {
            Err(Refusal::upload(&failure))
        }
        (answer, _) => answer,
    }
}

/// A stream of one result.
pub(crate) fn once(result: Result<ExecutionResult, Refusal>) -> Results {
    futures::stream::iter([result]).boxed()
}
