//! One operation over an event stream that many share.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use futures::StreamExt;
use http::StatusCode;
use http::request::Parts;
use tokio_util::task::AbortOnDropHandle;

use super::reservation::{Reserved, complete, next};
use crate::auth::Known;
use crate::gateway::State;
use crate::http::{PeerAddress, errors_body};
use crate::pipeline::{
    Answer, Arrival, Client, Refusal, Results, Summary, Transport, once, operate, read_request,
};
use crate::streams::kept;
use crate::value::Value;

/// Begins an operation. It is refused here and now when it is not to be executed.
pub(super) async fn accept(
    state: &Arc<State>,
    (parts, body): (Parts, Body),
    reserved: &Arc<Reserved>,
    known: Known,
) -> Result<(), Refusal> {
    let mut summary = Summary::begin(known.caller.request);
    let outcome = begin(state, (parts, body), reserved, (known, &mut summary)).await;
    match &outcome {
        Ok(()) => summary.end(StatusCode::ACCEPTED),
        Err(refusal) => {
            summary.refused(refusal);
            summary.end(refusal.status);
        }
    }
    outcome
}

async fn begin(
    state: &Arc<State>,
    (mut parts, body): (Parts, Body),
    reserved: &Arc<Reserved>,
    (known, summary): (Known, &mut Summary),
) -> Result<(), Refusal> {
    let arrival = Arrival::now(&state.config);
    let request = read_request(&mut parts, body, &state.config, arrival).await?.single()?;
    let id = request.extensions.get("operationId").and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = id.ok_or_else(no_id)?.to_owned();
    let number = reserved.begin(&id, state.config.subscriptions.operations_per_connection)?;
    let deadline = Instant::now() + state.config.request_timeout;
    let address = PeerAddress::of(&parts);
    let (headers, transport) = (Arc::new(kept(&parts.headers)), Transport::SharedEventStream);
    let Known { caller, terms, .. } = known;
    let client = Client { caller, terms, headers, address, transport, deadline };
    let results = match operate(state, &client, request, summary).await {
        Ok(Answer::Stream(results)) => results,
        Ok(Answer::Once(result)) => once(Ok(result)),
        Err(refusal) => {
            reserved.finish(&id, number);
            return Err(refusal);
        }
    };
    let task = AbortOnDropHandle::new(tokio::spawn(run(Arc::clone(reserved), (id.clone(), number), results)));
    reserved.keep(&id, number, task);
    Ok(())
}

async fn run(reserved: Arc<Reserved>, (id, number): (String, u64), mut results: Results) {
    while let Some(result) = results.next().await {
        let event = match result {
            Ok(result) => next(&id, &result.body),
            Err(refusal) => next(&id, &errors_body(&refusal.errors)),
        };
        if reserved.sender.send(event).await.is_err() {
            return;
        }
    }
    // The id is free once the client can have seen the end.
    if let Ok(place) = reserved.sender.reserve().await {
        reserved.finish(&id, number);
        place.send(complete(&id));
    }
}

/// A request without the id that its answers are to carry.
pub(super) fn no_id() -> Refusal {
    let message = "an operation over an event stream needs an id: send it as `extensions.operationId`, or as the \
                   parameter `operationId` to end it";
    Refusal::malformed(StatusCode::BAD_REQUEST, "OPERATION_ID_MISSING", message)
}
