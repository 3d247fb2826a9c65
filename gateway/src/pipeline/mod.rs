//! A request's way through the gateway: one file a step, in the order of [`steps`].

mod authenticate;
mod authorize;
mod execute;
mod find_document;
mod operate;
mod prepare;
mod read_request;
mod refusal;
mod respond;
mod summary;
mod variant;

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use futures::StreamExt;
use pulse_types::RequestId;

use crate::engine::ExecutionResult;
use crate::gateway::State;
use crate::http::drain::Drain;
use crate::http::negotiate::{Accepted, MediaType};
use crate::streams::{self, Ending};

pub(crate) use authenticate::authenticate;
pub(crate) use operate::{Answer, Client, Results, operate};
pub(crate) use read_request::{Arrival, GraphqlRequest, read_request};
pub(crate) use refusal::Refusal;
pub(crate) use respond::refuse;
pub(crate) use summary::Summary;

/// Answers a GraphQL request.
pub(crate) async fn run(state: &Arc<State>, request: Request) -> Response {
    let id = *request.extensions().get::<RequestId>().expect("the router names every request");
    let mut summary = Summary::begin(id);
    let accepted = Accepted::negotiate(request.headers());
    let outcome = match accepted {
        None => Err(Refusal::not_acceptable()),
        Some(accepted) => steps(state, request, accepted, &mut summary).await,
    };
    let media_type = accepted.and_then(|accepted| accepted.once).unwrap_or(MediaType::Json);
    let response = match outcome {
        Ok(Outcome::Once(result)) => respond::answer(media_type, result),
        Ok(Outcome::Stream(response)) => response,
        Err(refusal) => {
            summary.refused(&refusal);
            respond::refuse(media_type, refusal, id)
        }
    };
    summary.end(response.status());
    response
}

/// What a request comes to.
enum Outcome {
    Once(ExecutionResult),
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
    let (parts, body) = request.into_parts();
    let request = read_request(&parts, body, arrival).await?;
    let known = authenticate(state, &parts.headers, id, deadline).await?;
    let drain = parts.extensions.get::<Drain>().cloned().unwrap_or_default();
    let headers = Arc::new(parts.headers);
    let streams = accepted.stream.is_some();
    let client = Client { caller: Arc::clone(&known.caller), headers, streams, deadline };
    let answer = operate(state, &client, request, summary).await;
    let (results, stream_type) = match (answer, accepted.stream) {
        (Ok(Answer::Stream(results)), Some(stream_type)) => (results, stream_type),
        (Ok(Answer::Stream(_)), None) => return Err(Refusal::needs_stream()),
        (Ok(Answer::Once(result)), Some(stream_type)) if accepted.always_stream => {
            (once(Ok(result)), stream_type)
        }
        (Ok(Answer::Once(result)), _) => return Ok(Outcome::Once(result)),
        // Whoever reads events is told so too of what is wrong with an operation.
        (Err(refusal), Some(stream_type)) if accepted.always_stream && refusal.well_formed => {
            summary.refused(&refusal);
            (once(Err(refusal)), stream_type)
        }
        (Err(refusal), _) => return Err(refusal),
    };
    let watch = state.callers.watch(&known);
    let ending = Ending::of_credential(known.expires_at, watch, drain, &state.clock);
    Ok(Outcome::Stream(streams::response::respond(state, stream_type, ending, results)))
}

/// A stream of one result.
pub(crate) fn once(result: Result<ExecutionResult, Refusal>) -> Results {
    futures::stream::iter([result]).boxed()
}
