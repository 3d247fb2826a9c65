//! Step 5: the plan runs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout_at;

use super::operate::{Answer, Client, Repeatable, Transport};
use super::read_request::GraphqlRequest;
use super::refusal::Refusal;
use super::{reuse, share};
use crate::engine::{
    Engine, ErrorCode, Estimate, ExecutionContext, ExecutionResult, Operation, OperationKind, RequestError,
    Subscription, Toll, refused,
};
use crate::gateway::State;
use crate::response_cache::Reuse;
use crate::streams::{Begin, Live};
use crate::supergraph::Served;
use crate::value::Value;

/// How long past the deadline the engine may take to answer with what it has by then.
const GRACE: Duration = Duration::from_millis(500);

/// What a stream's answers tell of costs, and who pays for its events.
#[derive(Clone)]
pub(super) struct Paying {
    pub(super) told: Option<Estimate>,
    pub(super) toll: Option<Arc<dyn Toll>>,
}

/// Runs a query or a mutation.
pub(super) async fn execute(
    state: &State,
    served: &Arc<Served>,
    operation: &Arc<Operation>,
    (request, told): (GraphqlRequest, Option<Estimate>),
    client: &Client,
) -> Result<Answer, Refusal> {
    let uploads = request.uploads.clone();
    let context = ExecutionContext { uploads, tell_cost: told, ..context(state, &request, client) };
    let reuse = reuse::reuse(state, served, operation, &context, client);
    // Whoever asks after a mutation sees what it changed.
    let is_change = operation.kind() == OperationKind::Mutation;
    let _change = is_change.then(|| state.executions.change());
    let cache = state.response_cache.as_ref().filter(|_| is_change);
    let _written = cache.map(|cache| cache.writing(&client.caller, operation.changes_in()));
    let query = Query { state, served, operation, variables: request.variables, client };
    let execution = async {
        let result = match reuse {
            Some(reuse) => Box::pin(reuse::run(query, context, reuse)).await,
            None => Box::pin(query.run(context, None)).await,
        };
        result.map(Answer::Once).ok_or_else(broken)
    };
    in_time(state, client, execution).await
}

/// A query or a mutation that is to be run.
pub(super) struct Query<'q> {
    pub(super) state: &'q State,
    pub(super) served: &'q Arc<Served>,
    pub(super) operation: &'q Arc<Operation>,
    pub(super) variables: Option<Value>,
    pub(super) client: &'q Client,
}

impl Query<'_> {
    /// Runs it, or joins an equal one that is under way. `None` if it panicked.
    pub(super) async fn run(
        self,
        context: ExecutionContext,
        reuse: Option<Reuse>,
    ) -> Option<ExecutionResult> {
        let Query { state, served, operation, variables, client } = self;
        // Whoever wants nothing of what is kept joins none who takes it.
        let is_alone = reuse.as_ref().is_some_and(|reuse| !reuse.reads() || !reuse.keeps());
        let sharing = share::execution(state, operation, variables.as_ref(), &context, client);
        match sharing.filter(|_| !is_alone) {
            Some(execution) => Box::pin(share::run(state, served, execution, (context, reuse))).await,
            None => Some(Box::pin(served.engine.execute_with(operation, variables, (context, reuse))).await),
        }
    }
}

fn broken() -> Refusal {
    Refusal::error(ErrorCode::Internal, "internal server error")
}

/// A subscription, ready to be opened. The error says what is wrong with its variables.
pub(super) fn subscription(
    state: &State,
    engine: &Engine,
    operation: Arc<Operation>,
    (request, paying): (&GraphqlRequest, &Paying),
    client: &Client,
) -> Result<Subscription, Vec<RequestError>> {
    let Paying { told, toll } = paying.clone();
    let context = ExecutionContext { tell_cost: told, toll, ..context(state, request, client) };
    let subscription = engine.subscription(operation, request.variables.as_ref(), context)?;
    Ok(match last_event(client) {
        Some(cursor) => subscription.behind(cursor),
        None => subscription,
    })
}

/// The cursor of the last event that a client had which comes back (HTML Living Standard, "Server-sent events").
fn last_event(client: &Client) -> Option<&str> {
    let header = (client.transport == Transport::EventStream).then(|| client.headers.get("last-event-id"))?;
    header?.to_str().ok().filter(|cursor| !cursor.is_empty())
}

/// Opens a subscription.
pub(super) async fn subscribe(
    state: &Arc<State>,
    client: &Client,
    subscription: Result<Subscription, Vec<RequestError>>,
    (request, supergraphs): (Repeatable, watch::Receiver<u64>),
) -> Result<Answer, Refusal> {
    let place = state.streams.places.stream()?;
    let subscription = match subscription {
        Ok(subscription) => subscription,
        Err(errors) => return Ok(Answer::Once(refused(&errors))),
    };
    let begin = Begin { client: client.clone(), request, subscription, supergraphs, place };
    let opening = async {
        Ok(match Live::open(state, begin).await {
            Ok(results) => Answer::Stream(results),
            Err(failed) => Answer::Once(failed),
        })
    };
    in_time(state, client, opening).await
}

pub(super) fn context(state: &State, request: &GraphqlRequest, client: &Client) -> ExecutionContext {
    let wants_plan = request.extensions.get("plan").and_then(Value::as_bool) == Some(true);
    ExecutionContext {
        caller: Arc::clone(&client.caller),
        headers: Arc::clone(&client.headers),
        deadline: client.deadline,
        uploads: None,
        include_plan: wants_plan && state.config.expose_plan.allows(&client.caller, &client.headers),
        tell_cost: None,
        toll: None,
        tag_limit: None,
    }
}

pub(super) async fn in_time(
    state: &State,
    client: &Client,
    answer: impl Future<Output = Result<Answer, Refusal>>,
) -> Result<Answer, Refusal> {
    timeout_at((client.deadline + GRACE).into(), answer).await.unwrap_or_else(|_| {
        let limit = state.config.request_timeout.as_millis();
        Err(Refusal::error(
            ErrorCode::Timeout,
            format!("the request took longer than {limit} ms; ask for less at once"),
        ))
    })
}
