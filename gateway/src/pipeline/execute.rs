//! Step 5: the plan runs.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::time::timeout_at;

use super::charge::Charge;
use super::operate::{Answer, Client, Results};
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{Engine, ErrorCode, ExecutionContext, ExecutionResult, Operation, OperationKind};
use crate::gateway::State;
use crate::streams::Place;
use crate::value::Value;

/// How long past the deadline the engine may take to answer with what it has by then.
const GRACE: Duration = Duration::from_millis(500);

pub(super) async fn execute(
    state: &State,
    engine: &Engine,
    operation: &Arc<Operation>,
    (request, charge): (GraphqlRequest, &Charge),
    client: &Client,
) -> Result<Answer, Refusal> {
    let wants_plan = request.extensions.get("plan").and_then(Value::as_bool) == Some(true);
    let context = ExecutionContext {
        caller: Arc::clone(&client.caller),
        headers: Arc::clone(&client.headers),
        deadline: client.deadline,
        uploads: request.uploads,
        include_plan: wants_plan && state.config.expose_plan.allows(&client.caller, &client.headers),
        tell_cost: charge.told(),
        toll: charge.toll(),
    };
    let execution = async {
        if operation.kind() == OperationKind::Subscription {
            let place = state.streams.places.stream()?;
            Ok(match engine.subscribe(Arc::clone(operation), request.variables, context).await {
                Ok(results) => Answer::Stream(held(results, place)),
                Err(refused) => Answer::Once(refused),
            })
        } else {
            Ok(Answer::Once(engine.execute(operation, request.variables, context).await))
        }
    };
    timeout_at((client.deadline + GRACE).into(), execution).await.unwrap_or_else(|_| {
        let limit = state.config.request_timeout.as_millis();
        Err(Refusal::error(
            ErrorCode::Timeout,
            format!("the request took longer than {limit} ms; ask for less at once"),
        ))
    })
}

/// Results that hold their place until they end.
fn held(results: BoxStream<'static, ExecutionResult>, place: Place) -> Results {
    results
        .map(move |result| {
            let _held = &place;
            Ok(result)
        })
        .boxed()
}
