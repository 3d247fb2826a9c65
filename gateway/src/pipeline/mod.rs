//! A request's way through the gateway: one file a step, in the order of [`steps`].

mod authenticate;
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
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use pulse_types::RequestId;

use crate::config::bytes;
use crate::engine::ExecutionResult;
use crate::gateway::State;
use crate::http::negotiate::MediaType;

use operate::{Answer, Client};
use read_request::Arrival;
use refusal::Refusal;
use summary::Summary;

/// Answers a GraphQL request.
pub(crate) async fn run(state: &State, request: Request) -> Response {
    let id = *request.extensions().get::<RequestId>().expect("the router names every request");
    let mut summary = Summary::begin(id);
    let media_type = MediaType::negotiate(request.headers());
    let outcome = match media_type {
        None => Err(Refusal::not_acceptable()),
        Some(_) => steps(state, request, id, &mut summary).await,
    };
    let media_type = media_type.unwrap_or(MediaType::Json);
    let response = match outcome {
        Ok(result) => respond::answer(media_type, result),
        Err(refusal) => {
            summary.refused(&refusal);
            respond::refuse(media_type, refusal, id)
        }
    };
    summary.end(response.status());
    response
}

async fn steps(
    state: &State,
    request: Request,
    id: RequestId,
    summary: &mut Summary,
) -> Result<ExecutionResult, Refusal> {
    let deadline = Instant::now() + state.config.request_timeout;
    let arrival =
        Arrival { limit: bytes(state.config.body_limit), deadline, timeout: state.config.request_timeout };
    let (parts, body) = request.into_parts();
    let request = read_request::read_request(&parts, body, arrival).await?;
    let caller = authenticate::authenticate(state, &parts.headers, id, deadline).await?;
    let client = Client { caller, headers: Arc::new(parts.headers), streams: false, deadline };
    match operate::operate(state, &client, request, summary).await? {
        Answer::Once(result) => Ok(result),
        Answer::Stream(_) => Err(Refusal::needs_stream()),
    }
}
