//! Whole responses: an operation executed, projected and written.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::{BufMut, Bytes};

use super::execute::{FieldError, Masking, Run, State};
use super::operation::{Operation, Preparer};
use super::plan::Fetch;
use super::schema::{Schema, TypeConditions};
use super::{Cost, ExecutionContext, ExecutionResult, FetchReport, RequestError, introspection, project};
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::response_cache::Reuse;
use crate::value::{Object, Value};

/// A response to a request that was not executed.
pub(super) fn refused(errors: &[RequestError]) -> ExecutionResult {
    let body = serde_json::json!({ "errors": errors }).to_string();
    ExecutionResult {
        body: Bytes::from(body),
        errors: errors.len(),
        data_is_null: true,
        request_error: true,
        ..ExecutionResult::default()
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

/// An event of a subscription.
pub(super) struct Event<'a> {
    /// The node of the plan that it came from.
    pub(super) fetch: &'a Fetch,
    pub(super) outcome: Result<SubgraphResponse, SubgraphFault>,
    /// Whether events may be missing before it.
    pub(super) gap: bool,
}

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
        (context, reuse): (&ExecutionContext, Option<&Reuse>),
        event: Option<Event<'_>>,
    ) -> ExecutionResult {
        let started = Instant::now();
        let flags = operation.selection.flags.iter();
        let flags: Vec<bool> =
            flags.map(|name| variables.get(name).and_then(Value::as_bool).unwrap_or_default()).collect();
        let root = &operation.selection.root;
        let data = introspection::resolve(&self.schema, root, &flags, variables);
        let run = Run { reuse, ..self.run(variables, context, data) };
        let mut extensions = serde_json::Map::new();
        let mut cursor = None;
        if let Some(event) = event {
            cursor = event.cursor().cloned().map(Arc::new);
            extensions = event_extensions(&event);
            match event.outcome {
                Ok(response) => run.event(event.fetch, response),
                Err(fault) => {
                    let error = run.fault(&event.fetch.request, &fault, None);
                    run.state.lock().expect("nothing panics while it holds the state").errors.push(error);
                }
            }
        }
        if let Some(plan) = &operation.plan {
            run.node(plan).await;
        }
        let State { data, mut errors, fetches, reads } =
            run.state.into_inner().expect("nothing panics while it holds the state");
        let cost = operation.cost.as_ref().map(|cost| cost.actual(variables, &data));
        let mut out = Vec::with_capacity(operation.answer_size.load(Ordering::Relaxed));
        out.put_slice(b"{\"data\":");
        let data_is_null = project::project(root, &flags, &data, (&mut out, &mut errors));
        write_errors(&errors, &mut out);
        add_extensions(operation, context, (&fetches, cost, started.elapsed()), &mut extensions);
        write_extensions(extensions, &mut out);
        out.put_u8(b'}');
        operation.answer_size.store(out.len(), Ordering::Relaxed);
        ExecutionResult {
            body: out.into(),
            errors: errors.len(),
            data_is_null,
            fetches,
            cost,
            cursor,
            reads: reads.map(Arc::new),
            ..ExecutionResult::default()
        }
    }

    pub(super) fn run<'a>(
        &'a self,
        variables: &'a Object,
        context: &'a ExecutionContext,
        data: Object,
    ) -> Run<'a> {
        Run {
            variables,
            context,
            conditions: &self.conditions,
            names_subgraphs: self.names_subgraphs,
            masking: &self.masking,
            reuse: None,
            state: Mutex::new(State::new(data, context.tag_limit)),
        }
    }
}

/// A response without data because of one error.
pub(super) fn failed(error: &FieldError) -> ExecutionResult {
    let mut out = Vec::new();
    out.put_slice(b"{\"data\":null");
    write_errors(std::slice::from_ref(error), &mut out);
    out.put_u8(b'}');
    ExecutionResult { body: out.into(), errors: 1, data_is_null: true, ..ExecutionResult::default() }
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

impl Event<'_> {
    /// Where its source is, when it says so.
    fn cursor(&self) -> Option<&Value> {
        self.outcome.as_ref().ok().and_then(SubgraphResponse::cursor)
    }
}

/// Where an event's source is, and whether something may be missing.
fn event_extensions(event: &Event<'_>) -> serde_json::Map<String, serde_json::Value> {
    let cursor =
        event.cursor().map(|cursor| ("cursor".to_owned(), serde_json::to_value(cursor).unwrap_or_default()));
    let gap = || ("gap".to_owned(), serde_json::json!({ "possible": true, "reason": "SUPERGRAPH_CHANGED" }));
    cursor.into_iter().chain(event.gap.then(gap)).collect()
}

fn add_extensions(
    operation: &Operation,
    context: &ExecutionContext,
    (fetches, cost, took): (&[FetchReport], Option<Cost>, Duration),
    extensions: &mut serde_json::Map<String, serde_json::Value>,
) {
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
}

fn write_extensions(extensions: serde_json::Map<String, serde_json::Value>, out: &mut Vec<u8>) {
    if !extensions.is_empty() {
        out.put_slice(b",\"extensions\":");
        out.put_slice(serde_json::Value::Object(extensions).to_string().as_bytes());
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn fetch_json(fetch: &FetchReport) -> serde_json::Value {
    let mut told = serde_json::json!({
        "subgraph": *fetch.subgraph,
        "microseconds": microseconds(fetch.duration),
        "entities": fetch.entities,
        "errors": fetch.errors,
    });
    if fetch.from_cache {
        told["fromCache"] = true.into();
    }
    told
}
