//! Step 5: the plan runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout_at;

use super::operate::{Answer, Client};
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{Engine, ErrorCode, ExecutionContext, Operation, OperationKind};
use crate::gateway::State;
use crate::value::Value;

/// How long past the deadline the engine may take to answer with what it has by then.
const GRACE: Duration = Duration::from_millis(500);

pub(super) async fn execute(
    state: &State,
    engine: &Engine,
    operation: &Arc<Operation>,
    request: GraphqlRequest,
    client: &Client,
) -> Result<Answer, Refusal> {
    let wants_plan = request.extensions.get("plan").and_then(Value::as_bool) == Some(true);
    let context = ExecutionContext {
        caller: Arc::clone(&client.caller),
        headers: Arc::clone(&client.headers),
        deadline: client.deadline,
        uploads: request.uploads,
        include_plan: state.config.expose_plan && wants_plan,
        tell_cost: None,
    };
    let execution = async {
        if operation.kind() == OperationKind::Subscription {
            match engine.subscribe(Arc::clone(operation), request.variables, context).await {
                Ok(results) => Answer::Stream(results),
                Err(refused) => Answer::Once(refused),
            }
        } else {
            Answer::Once(engine.execute(operation, request.variables, context).await)
        }
    };
    timeout_at((client.deadline + GRACE).into(), execution).await.map_err(|_| {
        let limit = state.config.request_timeout.as_millis();
        Refusal::error(
            ErrorCode::Timeout,
            format!("the request took longer than {limit} ms; ask for less at once"),
        )
    })
}
