//! Several operations in one request, answered by a list in their order. Each is counted and told of by itself.

use std::sync::Arc;

use bytes::{BufMut, BytesMut};
use futures::StreamExt;
use http::StatusCode;
use pulse_types::RequestId;

use super::operate::{Answer, Client, Transport, operate};
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use super::summary::Summary;
use crate::engine::ExecutionResult;
use crate::gateway::State;
use crate::http::errors_body;

/// Runs the operations of a list, some at once. What is wrong with one is said in its place.
pub(super) async fn run(
    state: &Arc<State>,
    client: &Client,
    requests: Vec<Result<GraphqlRequest, Refusal>>,
    id: RequestId,
) -> ExecutionResult {
    // An answer in a list is one answer.
    let client = &Client { transport: Transport::Once, ..client.clone() };
    let answers = requests.into_iter().map(|request| one(state, client, request, id));
    let answers: Vec<_> =
        futures::stream::iter(answers).buffered(state.config.batching.concurrency.max(1)).collect().await;
    let mut body = BytesMut::with_capacity(answers.iter().map(|answer| answer.body.len() + 1).sum());
    body.put_u8(b'[');
    for (index, answer) in answers.iter().enumerate() {
        if index > 0 {
            body.put_u8(b',');
        }
        body.extend_from_slice(&answer.body);
    }
    body.put_u8(b']');
    ExecutionResult {
        body: body.freeze(),
        errors: answers.iter().map(|answer| answer.errors).sum(),
        fetches: answers.into_iter().flat_map(|answer| answer.fetches).collect(),
        ..ExecutionResult::default()
    }
}

async fn one(
    state: &Arc<State>,
    client: &Client,
    request: Result<GraphqlRequest, Refusal>,
    id: RequestId,
) -> ExecutionResult {
    let mut summary = Summary::begin(id);
    let answer = match request {
        Ok(request) => operate(state, client, request, &mut summary).await,
        Err(refusal) => Err(refusal),
    };
    match answer {
        Ok(Answer::Once(result)) => {
            summary.end(StatusCode::OK);
            result
        }
        Ok(Answer::Stream(_)) => refused(Refusal::needs_stream(), id, summary),
        Err(refusal) => refused(refusal, id, summary),
    }
}

fn refused(mut refusal: Refusal, id: RequestId, mut summary: Summary) -> ExecutionResult {
    refusal.name_request(id);
    summary.refused(&refusal);
    summary.end(refusal.status);
    let body = errors_body(&refusal.errors).into();
    ExecutionResult {
        body,
        errors: refusal.errors.len(),
        data_is_null: true,
        request_error: true,
        ..ExecutionResult::default()
    }
}
