//! Equal queries of equal callers that are under way at the same time are run once.

use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::Arc;

use http::HeaderMap;
use pulse_types::Caller;
use rustc_hash::FxBuildHasher;

use super::operate::Client;
use crate::engine::{ExecutionContext, ExecutionResult, Operation};
use crate::flights::{self, Landed};
use crate::gateway::State;
use crate::ports::Subgraph;
use crate::response_cache::Reuse;
use crate::supergraph::Served;
use crate::value::Value;

/// The queries under way.
pub(crate) type Executions = flights::Flights<Execution, ExecutionResult>;

/// All on which an answer may depend.
pub(crate) struct Execution {
    /// One document, name and version of the supergraph have one operation, as long as it is kept.
    operation: Arc<Operation>,
    variables: Option<Value>,
    caller: Arc<Caller>,
    /// What each subgraph that is asked gets to see of the client's head.
    headers: Vec<HeaderMap>,
}

impl flights::Key for Execution {
    fn hash(&self) -> u64 {
        let mut hasher = FxBuildHasher.build_hasher();
        (Arc::as_ptr(&self.operation).addr(), &self.variables).hash(&mut hasher);
        self.caller.subject.hash(&mut hasher);
        hasher.finish()
    }

    fn is_like(&self, other: &Self) -> bool {
        let Self { operation, variables, caller, headers } = self;
        Arc::ptr_eq(operation, &other.operation)
            && *variables == other.variables
            && *caller == other.caller
            && *headers == other.headers
    }
}

/// What an execution is to be shared by; `None` for one that is for one alone: one that changes something, one with a
/// subgraph that is not to share, and one whose answer tells of its own run.
pub(super) fn execution(
    state: &State,
    operation: &Arc<Operation>,
    variables: Option<&Value>,
    context: &ExecutionContext,
    client: &Client,
) -> Option<Execution> {
    let tells_of_itself = context.include_plan || context.tell_cost.is_some();
    if !state.config.deduplicate || tells_of_itself || context.uploads.is_some() {
        return None;
    }
    let forwarded = |subgraph: &Arc<dyn Subgraph>| subgraph.forwarded(&client.headers, &client.caller);
    Some(Execution {
        headers: operation.sharing()?.iter().map(forwarded).collect(),
        operation: Arc::clone(operation),
        variables: variables.cloned(),
        caller: Arc::clone(&client.caller),
    })
}

/// The result of an equal query that is under way, or of this one, which may use what is kept. `None` if it panicked.
pub(super) async fn run(
    state: &State,
    served: &Arc<Served>,
    execution: Execution,
    (context, reuse): (ExecutionContext, Option<Reuse>),
) -> Option<ExecutionResult> {
    let served = Arc::clone(served);
    let work = |execution: Arc<Execution>| async move {
        let Execution { operation, variables, .. } = &*execution;
        served.engine.execute_with(operation, variables.clone(), (context, reuse)).await
    };
    let Landed { outcome, is_shared } = state.executions.join(execution, work).await?;
    let result = Arc::try_unwrap(outcome).unwrap_or_else(|shared| shared.as_ref().clone());
    Some(ExecutionResult { is_shared, ..result })
}
