//! Collects spans from `tracing`.

use std::fmt;
use std::time::SystemTime;

use metrics::counter;
use tokio::sync::mpsc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::{Attribute, Kind, SpanRecord, TARGET, TraceContext, TracesConfig};

/// Fields with a meaning of their own.
const PARENT: &str = "traceparent";
const NAME: &str = "otel.name";
const KIND: &str = "otel.kind";
const ERROR: &str = "otel.error";

pub(crate) struct TraceLayer {
    finished: mpsc::Sender<SpanRecord>,
    sampling: f64,
    trust_parent: bool,
}

impl TraceLayer {
    pub(super) fn new(finished: mpsc::Sender<SpanRecord>, config: &TracesConfig) -> Self {
        Self { finished, sampling: config.sampling, trust_parent: config.trust_parent }
    }

    /// Whether a span or event is for this layer.
    pub(crate) fn wants(metadata: &Metadata<'_>) -> bool {
        metadata.target() == TARGET
    }

    /// A parent in this process decides whether a trace is kept, then the client, then the share.
    fn place(&self, here: Option<TraceContext>, told: Option<&str>) -> (TraceContext, Option<[u8; 8]>) {
        if let Some(parent) = here {
            return (parent.child(), Some(parent.span));
        }
        let parent = told.and_then(|text| text.parse::<TraceContext>().ok());
        let mut context = parent.map_or_else(TraceContext::begin, TraceContext::child);
        if parent.is_none() || !self.trust_parent {
            context.sampled = context.share() < self.sampling;
        }
        (context, parent.map(|parent| parent.span))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let here = span.parent().and_then(|parent| {
            let mut scope = parent.scope();
            scope.find_map(|span| span.extensions().get::<SpanRecord>().map(|record| record.context))
        });
        let (place, parent) = self.place(here, fields.parent.as_deref());
        let mut record = SpanRecord {
            context: place,
            parent,
            name: attributes.metadata().name().to_owned(),
            kind: Kind::Internal,
            start: now(),
            end: 0,
            attributes: Vec::new(),
            error: None,
        };
        fields.fill(&mut record);
        span.extensions_mut().insert(record);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(record) = span.extensions_mut().get_mut::<SpanRecord>() {
            fields.fill(record);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(mut record) = span.extensions_mut().remove::<SpanRecord>() else { return };
        if !record.context.sampled {
            return;
        }
        record.end = now();
        if self.finished.try_send(record).is_err() {
            counter!("pulse_traces_dropped_total").increment(1);
        }
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

#[derive(Default)]
struct Fields {
    parent: Option<String>,
    name: Option<String>,
    kind: Option<Kind>,
    error: Option<String>,
    attributes: Vec<(&'static str, Attribute)>,
}

impl Fields {
    fn fill(self, record: &mut SpanRecord) {
        record.name = self.name.unwrap_or_else(|| std::mem::take(&mut record.name));
        record.kind = self.kind.unwrap_or(record.kind);
        record.error = self.error.or_else(|| record.error.take());
        record.attributes.extend(self.attributes);
    }

    fn add(&mut self, field: &Field, value: Attribute) {
        self.attributes.push((field.name(), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            PARENT => self.parent = Some(value.to_owned()),
            NAME => self.name = Some(value.to_owned()),
            ERROR => self.error = Some(value.to_owned()),
            KIND => {
                self.kind = match value {
                    "server" => Some(Kind::Server),
                    "client" => Some(Kind::Client),
                    _ => Some(Kind::Internal),
                };
            }
            _ => self.add(field, Attribute::Text(value.to_owned())),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Attribute::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Attribute::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, Attribute::Integer(i64::try_from(value).unwrap_or(i64::MAX)));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Attribute::Float(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}
