//! From a request's document and variables to its plan, and through an execution that no subgraph answers.

use std::sync::{Arc, LazyLock};

use pulse_gateway::engine::{Engine, ErrorCode, Operation, OperationKind, RequestError};
use pulse_gateway::ports::SubgraphFault;
use pulse_gateway::value::Value;

use super::platform;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| platform::engine(|| Err(SubgraphFault::CircuitOpen)));

/// Prepares the document in `data` as the gateway would. A zero byte ends it; the operation's variables may follow as JSON.
pub fn run(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    // A request whose document is not UTF-8 gets no further than its own parser.
    let Ok(document) = std::str::from_utf8(parts.next().unwrap_or_default()) else { return };
    let variables = parts.next().and_then(|json| Value::parse(json).ok());
    match platform::block_on(ENGINE.prepare(document, None)) {
        Ok(operation) => execute(&operation, variables),
        Err(errors) => check_refusal(&errors),
    }
}

/// Somebody who writes a wrong operation is told so; nobody can write one that is the gateway's fault.
fn check_refusal(errors: &[RequestError]) {
    assert!(!errors.is_empty(), "refused without a reason");
    for error in errors {
        assert!(error.code != ErrorCode::Internal, "it cannot be planned: {error}");
    }
}

fn execute(operation: &Arc<Operation>, variables: Option<Value>) {
    // Both are shown to those who may see them.
    assert!(operation.plan_json().is_object());
    ENGINE.estimate(operation, variables.as_ref());
    let context = platform::context();
    if operation.kind() == OperationKind::Subscription {
        let opened = ENGINE.subscription(Arc::clone(operation), variables.as_ref(), context);
        return opened.map_or_else(|errors| check_refusal(&errors), drop);
    }
    let result = platform::block_on(ENGINE.execute(operation, variables, context));
    super::response::check(&result);
}
