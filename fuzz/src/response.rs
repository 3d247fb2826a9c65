//! What subgraphs answer: read, merged and projected by the plan of one operation that asks all of them.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use pulse_gateway::engine::{Engine, ExecutionResult, Operation};
use pulse_gateway::ports::{SubgraphFault, SubgraphResponse};
use pulse_gateway::value::Value;

use super::platform;

/// Names tell what a value must be: `…Required` is never null, `…Int` is a whole number of 32 bits or null.
const OPERATION: &str = include_str!("../subgraphs/operation.graphql");

/// The bodies of one input's answers that are still to come.
type Bodies = Arc<Mutex<VecDeque<Vec<u8>>>>;

struct Fuzzed {
    engine: Engine,
    operation: Arc<Operation>,
    bodies: Bodies,
}

static FUZZED: LazyLock<Fuzzed> = LazyLock::new(|| {
    let bodies = Bodies::default();
    let next = Arc::clone(&bodies);
    let engine = platform::engine(move || {
        let mut next = next.lock().unwrap_or_else(PoisonError::into_inner);
        let body = if next.len() > 1 { next.pop_front() } else { next.front().cloned() };
        SubgraphResponse::from_json(&body.unwrap_or_default()).map_err(SubgraphFault::Malformed)
    });
    let operation = platform::block_on(engine.prepare(OPERATION, None)).expect("the operation is valid");
    Fuzzed { engine, operation, bodies }
});

/// Each line of `data` is the body of one answer, in the order in which the subgraphs are asked; the last one answers all
/// that are asked then.
pub fn run(data: &[u8]) {
    let Fuzzed { engine, operation, bodies } = &*FUZZED;
    let lines = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    *bodies.lock().unwrap_or_else(PoisonError::into_inner) = lines;
    let result = platform::block_on(engine.execute(operation, None, platform::context()));
    let response = check(&result);
    response.get("data").into_iter().for_each(check_values);
}

/// A response is JSON of the form that GraphQL gives it, and is what the gateway takes it for.
pub(super) fn check(result: &ExecutionResult) -> Value {
    let response = Value::parse(&result.body);
    let response = response.unwrap_or_else(|error| panic!("{error}: {}", result.body.escape_ascii()));
    let data = response.get("data");
    assert_eq!(data.is_none(), result.request_error, "{response}");
    assert_eq!(data.is_none_or(Value::is_null), result.data_is_null, "{response}");
    let errors = response.get("errors").map_or(&[][..], |errors| errors.as_list().expect("a list of errors"));
    assert_eq!(errors.len(), result.errors, "{response}");
    for error in errors {
        assert!(error.get("message").and_then(Value::as_str).is_some(), "{response}");
    }
    response
}

fn check_values(value: &Value) {
    match value {
        Value::Object(object) => {
            // What is in a custom scalar says nothing of itself.
            for (name, value) in object.iter().filter(|(name, _)| &**name != "price") {
                assert!(!(name.ends_with("Required") && value.is_null()), "{name} is null");
                let is_int = matches!(value, Value::Int(number) if i32::try_from(*number).is_ok());
                assert!(!name.ends_with("Int") || is_int || value.is_null(), "{name} is {value}");
                check_values(value);
            }
        }
        Value::List(items) => items.iter().for_each(check_values),
        _ => {}
    }
}
