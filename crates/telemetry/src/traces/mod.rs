//! Traces: `tracing` spans of the target [`TARGET`], sent to a collector by OTLP over HTTP (protobuf).
//!
//! Off without an endpoint: then no layer asks for such spans, and making one is a comparison of two numbers.

mod context;
mod export;
mod layer;
mod protobuf;

use std::time::Duration;

use pulse_types::Secret;
use serde::Deserialize;

pub use context::{TRACEPARENT, TRACESTATE, TraceContext, current};
pub use export::{Exporter, TracesError};
pub(crate) use layer::TraceLayer;

/// The target of spans that are traced. They are of the level TRACE, so that logs are not asked for them.
pub const TARGET: &str = "pulse_trace";

/// The section `[telemetry.traces]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TracesConfig {
    /// The collector's address, such as `http://localhost:4318`; empty for no traces.
    pub endpoint: String,
    /// What is sent to it as `Authorization`.
    pub authorization: Secret,
    /// What the process is called.
    pub service_name: String,
    /// Which share of requests is traced, from 0 to 1, where the client's `traceparent` does not decide.
    pub sampling: f64,
    /// Whether the client's `traceparent` decides.
    pub trust_parent: bool,
    /// How often spans are sent.
    #[serde(with = "humantime_serde")]
    pub interval: Duration,
    /// How long the collector may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How many finished spans wait to be sent; further ones are dropped and counted.
    pub queue: usize,
}

impl Default for TracesConfig {
    fn default() -> Self {
        Self {
            endpoint: String::new(),
            authorization: Secret::new(""),
            service_name: "pulse".to_owned(),
            sampling: 1.0,
            trust_parent: true,
            interval: Duration::from_secs(2),
            timeout: Duration::from_secs(5),
            queue: 8192,
        }
    }
}

/// What collects spans, and what sends them.
pub(crate) fn start(config: &TracesConfig) -> Result<(TraceLayer, Exporter), TracesError> {
    let (finished, receiver) = tokio::sync::mpsc::channel(config.queue.max(1));
    let exporter = Exporter::start(config, receiver)?;
    Ok((TraceLayer::new(finished, config), exporter))
}

/// A span that ended, or has just begun.
#[derive(Debug, Clone)]
struct SpanRecord {
    context: TraceContext,
    parent: Option<[u8; 8]>,
    name: String,
    kind: Kind,
    /// Nanoseconds since 1970.
    start: u64,
    end: u64,
    attributes: Vec<(&'static str, Attribute)>,
    /// What went wrong, when something did.
    error: Option<String>,
}

/// What a span is to the processes around this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Internal,
    Server,
    Client,
}

#[derive(Debug, Clone, PartialEq)]
enum Attribute {
    Text(String),
    Bool(bool),
    Integer(i64),
    Float(f64),
}

type Batch = Vec<SpanRecord>;
