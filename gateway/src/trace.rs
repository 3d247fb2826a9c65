//! Spans of a request, of its steps and of its calls to subgraphs. They cost nothing where no traces are sent.

use axum::extract::Request;
use http::{HeaderMap, HeaderValue, StatusCode};
use pulse_telemetry::traces::{self, TARGET, TRACEPARENT, TRACESTATE};
use tracing::field::Empty;
use tracing::{Span, trace_span};

use crate::engine::{Operation, OperationKind};
use crate::ports::SubgraphFault;

/// A step of a request, by its name.
macro_rules! step {
    ($name:literal) => {
        tracing::trace_span!(target: pulse_telemetry::traces::TARGET, $name)
    };
}

pub(crate) use step;

/// A request over HTTP, as part of the trace that the client names.
pub(crate) fn request(request: &Request) -> Span {
    let path = request.uri().path();
    trace_span!(
        target: TARGET,
        "request",
        otel.name = format!("{} {path}", request.method()),
        otel.kind = "server",
        otel.error = Empty,
        traceparent = text(request.headers(), TRACEPARENT),
        http.request.method = request.method().as_str(),
        url.path = path,
        user_agent.original = text(request.headers(), "user-agent"),
        http.response.status_code = Empty,
    )
}

/// The status that a request is answered with.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.error", status.as_str());
    }
}

/// An operation on any transport. Without a request around it, it is part of the trace that the connection's head names.
pub(crate) fn operation(headers: &HeaderMap) -> Span {
    trace_span!(
        target: TARGET,
        "graphql.operation",
        otel.name = Empty,
        otel.error = Empty,
        traceparent = text(headers, TRACEPARENT),
        graphql.operation.name = Empty,
        graphql.operation.type = Empty,
        graphql.plan.cached = Empty,
    )
}

/// What the operation turned out to be.
pub(crate) fn prepared(span: &Span, operation: &Operation, cached: bool) {
    if span.is_disabled() {
        return;
    }
    let kind = operation.kind().as_str();
    let name = operation.name();
    span.record("otel.name", name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}")));
    span.record("graphql.operation.type", kind);
    span.record("graphql.plan.cached", cached);
    if let Some(name) = name {
        span.record("graphql.operation.name", name);
    }
}

/// A call to a subgraph.
pub(crate) fn fetch(subgraph: &str, kind: OperationKind, entities: usize) -> Span {
    trace_span!(
        target: TARGET,
        "fetch",
        otel.name = format!("fetch {subgraph}"),
        otel.kind = "client",
        otel.error = Empty,
        subgraph.name = subgraph,
        graphql.operation.type = kind.as_str(),
        graphql.entities = entities,
        graphql.errors = Empty,
        http.response.status_code = Empty,
    )
}

/// How a call to a subgraph ended.
pub(crate) fn fetched(span: &Span, errors: usize, fault: Option<&SubgraphFault>) {
    if span.is_disabled() {
        return;
    }
    span.record("graphql.errors", errors);
    if let Some(fault) = fault {
        span.record("otel.error", fault.to_string());
    }
}

/// The status that a call to a subgraph was answered with.
pub(crate) fn status(status: StatusCode) {
    Span::current().record("http.response.status_code", status.as_u16());
}

/// Names the trace to a subgraph: the span in which this is called, or, where nothing is traced, what the client said.
pub(crate) fn propagate(client: &HeaderMap, headers: &mut HeaderMap) {
    let here = traces::current().and_then(|here| HeaderValue::try_from(here.to_string()).ok());
    let told = || client.get(TRACEPARENT).cloned();
    let Some(parent) = here.or_else(told) else { return };
    headers.insert(TRACEPARENT, parent);
    if let Some(state) = client.get(TRACESTATE) {
        headers.insert(TRACESTATE, state.clone());
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
