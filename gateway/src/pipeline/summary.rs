//! What is told of a request when it ends, however it ends: one line in the log, and the metrics.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, StatusCode};
use metrics::{counter, gauge, histogram};
use pulse_types::{Caller, RequestId, Subject};

use super::refusal::Refusal;
use crate::engine::{Cached, Cost, ExecutionResult, FetchReport, Operation};

/// How much of an operation's name is logged. Names are letters, digits and underscores, but the client chooses them.
const NAME_LIMIT: usize = 100;

pub(crate) struct Summary {
    request: RequestId,
    started: Instant,
    caller: Option<Arc<Caller>>,
    /// Where the request comes from, as the log may show it.
    address: Option<String>,
    operation: Option<Arc<Operation>>,
    is_batch: bool,
    /// Whether its plan was there already.
    was_planned: Option<bool>,
    /// What metrics call it.
    label: Option<Arc<str>>,
    trace: Option<String>,
    cost: Option<Cost>,
    fetches: Vec<FetchReport>,
    /// Whether another request's execution gave the answer.
    is_shared: bool,
    /// What became of it where answers are kept.
    cached: Option<Box<Cached>>,
    errors: usize,
    code: Option<&'static str>,
    /// What the response's head is to say beside the answer.
    told: HeaderMap,
    /// `None` when the client went away before there was one.
    status: Option<StatusCode>,
}

impl Summary {
    pub(crate) fn begin(request: RequestId) -> Self {
        gauge!("pulse_gateway_requests_in_flight").increment(1.0);
        Self {
            request,
            started: Instant::now(),
            caller: None,
            address: None,
            operation: None,
            is_batch: false,
            was_planned: None,
            label: None,
            trace: None,
            cost: None,
            fetches: Vec::new(),
            is_shared: false,
            cached: None,
            errors: 0,
            code: None,
            told: HeaderMap::new(),
            status: None,
        }
    }

    pub(super) const fn request(&self) -> RequestId {
        self.request
    }

    pub(super) fn address(&mut self, address: Option<String>) {
        self.address = address;
    }

    pub(super) fn caller(&mut self, caller: &Arc<Caller>) {
        self.caller = Some(Arc::clone(caller));
    }

    /// Several operations in one request, each of which is told of by itself.
    pub(super) fn batch(&mut self, caller: &Arc<Caller>) {
        self.caller(caller);
        self.is_batch = true;
    }

    /// Remembers the trace that this is part of.
    pub(super) fn traced(&mut self) {
        self.trace = pulse_telemetry::traces::current().map(|here| here.trace_id());
    }

    pub(super) fn operation(
        &mut self,
        operation: &Arc<Operation>,
        was_planned: bool,
        label: Option<Arc<str>>,
    ) {
        self.operation = Some(Arc::clone(operation));
        self.was_planned = Some(was_planned);
        self.label = label;
    }

    pub(super) fn executed(&mut self, result: &ExecutionResult) {
        self.errors = result.errors;
        self.cost = result.cost;
        self.is_shared = result.is_shared;
        self.cached.clone_from(&result.cached);
        self.fetches.clone_from(&result.fetches);
    }

    pub(crate) fn refused(&mut self, refusal: &Refusal) {
        self.errors = refusal.errors.len();
        self.code = refusal.errors.first().map(|error| error.code.as_str());
    }

    /// Adds to what the response's head is to say; what it said before under the same names is gone.
    pub(super) fn tell(&mut self, headers: HeaderMap) {
        self.told.extend(headers);
    }

    /// What the response's head is to say.
    pub(crate) fn told(&mut self) -> HeaderMap {
        std::mem::take(&mut self.told)
    }

    pub(crate) fn end(mut self, status: StatusCode) {
        self.status = Some(status);
    }

    fn kind(&self) -> &'static str {
        let none = if self.is_batch { "batch" } else { "none" };
        self.operation.as_ref().map_or(none, |operation| operation.kind().as_str())
    }

    fn measure(&self) {
        gauge!("pulse_gateway_requests_in_flight").decrement(1.0);
        let status = match self.status {
            None => Cow::Borrowed("cancelled"),
            Some(StatusCode::OK) => Cow::Borrowed("200"),
            Some(status) => Cow::Owned(status.as_str().to_owned()),
        };
        histogram!("pulse_gateway_request_duration_seconds", "kind" => self.kind(), "status" => status)
            .record(self.started.elapsed());
        if let Some(label) = &self.label {
            let (name, kind) = (|| Arc::clone(label), self.kind());
            histogram!("pulse_gateway_operation_duration_seconds", "operation" => name(), "kind" => kind)
                .record(self.started.elapsed());
            if self.errors > 0 {
                counter!("pulse_gateway_operation_errors_total", "operation" => name(), "kind" => kind)
                    .increment(1);
            }
        }
        if self.is_shared {
            // Its calls were counted with the request that made them.
            counter!("pulse_gateway_shared_executions_total").increment(1);
            return;
        }
        for fetch in self.fetches.iter().filter(|fetch| !fetch.from_cache) {
            let (subgraph, outcome) =
                (Arc::clone(&fetch.subgraph), if fetch.errors == 0 { "ok" } else { "error" });
            histogram!("pulse_gateway_fetch_duration_seconds", "subgraph" => subgraph, "outcome" => outcome)
                .record(fetch.duration);
        }
    }

    fn log(&self) {
        let caller = self.caller.as_ref();
        let tenant = caller.and_then(|caller| caller.org).map(|org| org.to_string());
        let name = self.operation.as_ref().and_then(|operation| operation.name());
        tracing::info!(
            request_id = %self.request,
            tenant = tenant.as_deref(),
            subject = caller.map(|caller| subject(caller)).as_deref(),
            client = self.address.as_deref(),
            operation = name.map(|name| &name[..name.len().min(NAME_LIMIT)]),
            kind = self.kind(),
            was_planned = self.was_planned,
            cost = self.cost.map(tracing::field::display),
            trace_id = self.trace.as_deref(),
            subgraphs = %subgraphs(&self.fetches),
            shared = self.is_shared.then_some(true),
            cache = self.cached.as_deref().map(cached),
            status = self.status.map_or(0, |status| status.as_u16()),
            cancelled = self.status.is_none(),
            errors = self.errors,
            code = self.code,
            total_ms = milliseconds(self.started.elapsed()),
            "request"
        );
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        self.measure();
        self.log();
    }
}

fn subject(caller: &Caller) -> String {
    match caller.subject {
        Subject::Anonymous => "anonymous".to_owned(),
        Subject::User(user) => user.to_string(),
        Subject::Machine { id, .. } => format!("machine:{id}"),
        Subject::External => {
            let name = caller.identity.as_ref().map_or("external", |identity| identity.subject.as_str());
            name.chars().take(NAME_LIMIT).collect()
        }
        Subject::System => "system".to_owned(),
    }
}

/// `hit`, or why it was none.
const fn cached(cached: &Cached) -> &'static str {
    match cached {
        Cached::Miss(why) => why,
        Cached::Hit { .. } => "hit",
    }
}

/// The fetches in the order of their answers, such as `accounts:1.2ms entities:kept`.
fn subgraphs(fetches: &[FetchReport]) -> String {
    let mut text = String::new();
    for fetch in fetches {
        let separator = if text.is_empty() { "" } else { " " };
        let written = if fetch.from_cache {
            write!(text, "{separator}{}:kept", fetch.subgraph)
        } else {
            write!(text, "{separator}{}:{}ms", fetch.subgraph, milliseconds(fetch.duration))
        };
        written.expect("writing to a string cannot fail");
    }
    text
}

/// Milliseconds with microseconds behind the point.
#[expect(clippy::cast_precision_loss, reason = "a request's microseconds are far below 2^52")]
fn milliseconds(duration: std::time::Duration) -> f64 {
    duration.as_micros() as f64 / 1000.0
}
