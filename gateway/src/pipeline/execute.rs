//! Step 5: the plan runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pulse_types::Caller;
use tokio::time::timeout_at;

use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use crate::engine::{Engine, ErrorCode, ExecutionContext, ExecutionResult, Operation};
use crate::gateway::State;
use crate::value::Value;

/// How long past the deadline the engine may take to answer with what it has by then.
const GRACE: Duration = Duration::from_millis(500);

pub(super) async fn execute(
    state: &State,
    engine: &Engine,
    operation: &Operation,
    request: GraphqlRequest,
    (caller, deadline): (Arc<Caller>, Instant),
) -> Result<ExecutionResult, Refusal> {
    let wants_plan = request.extensions.get("plan").and_then(Value::as_bool) == Some(true);
    let context = ExecutionContext { caller, deadline, include_plan: state.config.expose_plan && wants_plan };
    let execution = engine.execute(operation, request.variables, context);
    timeout_at((deadline + GRACE).into(), execution).await.map_err(|_| {
        let limit = state.config.request_timeout.as_millis();
        Refusal::error(
            ErrorCode::Timeout,
            format!("the request took longer than {limit} ms; ask for less at once"),
        )
    })
}
