//! Whole responses: an operation executed, projected and written.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};
use futures::StreamExt;
use futures::stream::BoxStream;
use http::HeaderMap;

use super::execute::{FieldError, Masking, Run, State};
use super::operation::{Operation, Preparer};
use super::plan::{Fetch, Node};
use super::schema::{Schema, TypeConditions};
use super::{
    Cost, ErrorCode, ExecutionContext, ExecutionResult, FetchReport, RequestError, introspection, project,
};
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::value::{Object, Value};

/// A response to a request that was not executed.
pub(super) fn refused(errors: &[RequestError]) -> ExecutionResult {
    let body = serde_json::json!({ "errors": errors }).to_string();
    ExecutionResult {
        body: Bytes::from(body),
        errors: errors.len(),
        data_is_null: true,
        request_error: true,
        fetches: Vec::new(),
        cost: None,
        headers: HeaderMap::new(),
    }
}

/// What executions share with the engine.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) schema: Arc<Schema>,
    conditions: Arc<TypeConditions>,
    names_subgraphs: bool,
    masking: Arc<Masking>,
}

/// An event of a subscription, and the node of the plan that it came from.
type Event<'a> = (&'a Fetch, Result<SubgraphResponse, SubgraphFault>);

impl Shared {
    pub(super) fn new(preparer: &Preparer) -> Self {
        Self {
            schema: Arc::clone(&preparer.schema),
            conditions: Arc::clone(&preparer.conditions),
            names_subgraphs: preparer.config.name_subgraphs_in_errors,
            masking: Arc::clone(&preparer.masking),
        }
    }

    /// Runs an operation's plan, for an event when it is a subscription.
    pub(super) async fn execute(
        &self,
        operation: &Operation,
        variables: &Object,
        context: &ExecutionContext,
        event: Option<Event<'_>>,
    ) -> ExecutionResult {
        let started = Instant::now();
        let flags = operation.selection.flags.iter();
        let flags: Vec<bool> =
            flags.map(|name| variables.get(name).and_then(Value::as_bool).unwrap_or_default()).collect();
        let root = &operation.selection.root;
        let data = introspection::resolve(&self.schema, root, &flags, variables);
        let run = self.run(variables, context, data);
        match event {
            Some((fetch, Ok(response))) => run.event(fetch, response),
            Some((fetch, Err(fault))) => {
                let error = run.fault(&fetch.request, &fault, None);
                run.state.lock().expect("nothing panics while it holds the state").errors.push(error);
            }
            None => {}
        }
        if let Some(plan) = &operation.plan {
            run.node(plan).await;
        }
        let State { data, mut errors, fetches } =
            run.state.into_inner().expect("nothing panics while it holds the state");
        let cost = operation.cost.as_ref().map(|cost| cost.actual(variables, &data));
        let mut out = Vec::with_capacity(operation.answer_size.load(Ordering::Relaxed));
        out.put_slice(b"{\"data\":");
        let data_is_null = project::project(root, &flags, &data, (&mut out, &mut errors));
        write_errors(&errors, &mut out);
        write_extensions(operation, context, (&fetches, cost, started.elapsed()), &mut out);
        out.put_u8(b'}');
        operation.answer_size.store(out.len(), Ordering::Relaxed);
        ExecutionResult {
            body: out.into(),
            errors: errors.len(),
            data_is_null,
            request_error: false,
            fetches,
            cost,
            headers: HeaderMap::new(),
        }
    }

    fn run<'a>(&'a self, variables: &'a Object, context: &'a ExecutionContext, data: Object) -> Run<'a> {
        Run {
            variables,
            context,
            conditions: &self.conditions,
            names_subgraphs: self.names_subgraphs,
            masking: &self.masking,
            state: Mutex::new(State::new(data)),
        }
    }

    /// Opens a subscription's stream; the rest of the plan runs once per event, each with the time that the request had.
    pub(super) async fn subscribe(
        self,
        operation: Arc<Operation>,
        variables: Object,
        context: ExecutionContext,
    ) -> Result<BoxStream<'static, ExecutionResult>, ExecutionResult> {
        let Some(source) = operation.plan.as_ref().and_then(source_of) else {
            let text = "the operation is no subscription";
            return Err(refused(&[RequestError::new(ErrorCode::BadUserInput, text)]));
        };
        let budget = context.deadline.saturating_duration_since(Instant::now());
        let events = {
            let run = self.run(&variables, &context, Object::new());
            let wanted = source.request.variables.iter();
            let chosen =
                wanted.filter_map(|name| Some((name.clone(), variables.get(name)?.clone()))).collect();
            let opening = source.request.subgraph.subscribe(run.subgraph_request(&source.request, chosen));
            let opened = tokio::time::timeout_at(context.deadline.into(), opening).await;
            let opened = opened.unwrap_or(Err(SubgraphFault::TimedOut(budget)));
            opened.map_err(|fault| failed(&run.fault(&source.request, &fault, None)))?
        };
        let results = events.then(move |event| {
            let (shared, operation, variables) = (self.clone(), Arc::clone(&operation), variables.clone());
            let context = ExecutionContext { deadline: Instant::now() + budget, ..context.clone() };
            async move {
                if let Some(toll) = &context.toll
                    && !toll.pay().await
                {
                    return refused(&[]);
                }
                let source =
                    operation.plan.as_ref().and_then(source_of).expect("it was found when the stream opened");
                shared.execute(&operation, &variables, &context, Some((source, event))).await
            }
        });
        Ok(results.boxed())
    }
}

fn source_of(node: &Node) -> Option<&Fetch> {
    match node {
        Node::Subscription(fetch) => Some(fetch),
        Node::Sequence(nodes) | Node::Parallel(nodes) => nodes.iter().find_map(source_of),
        Node::Condition { then, otherwise, .. } => {
            [then, otherwise].into_iter().flatten().find_map(|node| source_of(node))
        }
        Node::Fetch(_) | Node::Entities(_) => None,
    }
}

/// A response without data because of one error.
fn failed(error: &FieldError) -> ExecutionResult {
    let mut out = Vec::new();
    out.put_slice(b"{\"data\":null");
    write_errors(std::slice::from_ref(error), &mut out);
    out.put_u8(b'}');
    ExecutionResult {
        body: out.into(),
        errors: 1,
        data_is_null: true,
        request_error: false,
        fetches: Vec::new(),
        cost: None,
        headers: HeaderMap::new(),
    }
}

fn write_errors(errors: &[FieldError], out: &mut Vec<u8>) {
    if errors.is_empty() {
        return;
    }
    out.put_slice(b",\"errors\":[");
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            out.put_u8(b',');
        }
        error.write(out);
    }
    out.put_u8(b']');
}

fn write_extensions(
    operation: &Operation,
    context: &ExecutionContext,
    (fetches, cost, took): (&[FetchReport], Option<Cost>, Duration),
    out: &mut Vec<u8>,
) {
    let mut extensions = serde_json::Map::new();
    if context.include_plan {
        extensions.insert("plan".to_owned(), operation.plan_json());
        extensions.insert("fetches".to_owned(), fetches.iter().map(fetch_json).collect());
        let timings = serde_json::json!({
            "planMicroseconds": microseconds(operation.planned_in()),
            "executeMicroseconds": microseconds(took),
        });
        extensions.insert("timings".to_owned(), timings);
    }
    if let Some((estimate, actual)) = context.tell_cost.as_ref().zip(cost) {
        extensions.insert("cost".to_owned(), estimate.json(actual));
    }
    if !extensions.is_empty() {
        out.put_slice(b",\"extensions\":");
        out.put_slice(serde_json::Value::Object(extensions).to_string().as_bytes());
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn fetch_json(fetch: &FetchReport) -> serde_json::Value {
    serde_json::json!({
        "subgraph": *fetch.subgraph,
        "microseconds": microseconds(fetch.duration),
        "entities": fetch.entities,
        "errors": fetch.errors,
    })
}
