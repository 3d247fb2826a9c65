//! `ExportTraceServiceRequest` of OTLP 1.x as bytes. The numbers are those of `opentelemetry/proto/trace/v1/trace.proto`.

use super::{Attribute, Kind, SpanRecord};

/// A request with these spans, of a process by that name.
pub(super) fn request(service: &str, spans: &[SpanRecord]) -> Vec<u8> {
    let mut resource = Message::default();
    resource.message(1, &attribute("service.name", &Attribute::Text(service.to_owned())));
    let version = Attribute::Text(env!("CARGO_PKG_VERSION").to_owned());
    resource.message(1, &attribute("service.version", &version));
    let mut scope = Message::default();
    scope.text(1, "pulse");
    let mut scope_spans = Message::default();
    scope_spans.message(1, &scope);
    for record in spans {
        scope_spans.message(2, &span(record));
    }
    let mut resource_spans = Message::default();
    resource_spans.message(1, &resource);
    resource_spans.message(2, &scope_spans);
    let mut request = Message::default();
    request.message(1, &resource_spans);
    request.0
}

fn span(record: &SpanRecord) -> Message {
    let mut span = Message::default();
    span.bytes(1, &record.context.trace);
    span.bytes(2, &record.context.span);
    if let Some(parent) = record.parent {
        span.bytes(4, &parent);
    }
    span.text(5, &record.name);
    span.number(
        6,
        match record.kind {
            Kind::Internal => 1,
            Kind::Server => 2,
            Kind::Client => 3,
        },
    );
    span.fixed64(7, record.start);
    span.fixed64(8, record.end);
    for (key, value) in &record.attributes {
        span.message(9, &attribute(key, value));
    }
    if let Some(error) = &record.error {
        let mut status = Message::default();
        status.text(2, error);
        status.number(3, 2);
        span.message(15, &status);
    }
    span
}

fn attribute(key: &str, value: &Attribute) -> Message {
    let mut any = Message::default();
    match value {
        Attribute::Text(text) => any.text(1, text),
        Attribute::Bool(value) => any.number(2, u64::from(*value)),
        // Negative numbers are their two's complement here.
        Attribute::Integer(number) => any.number(3, u64::from_ne_bytes(number.to_ne_bytes())),
        Attribute::Float(number) => any.fixed64(4, number.to_bits()),
    }
    let mut attribute = Message::default();
    attribute.text(1, key);
    attribute.message(2, &any);
    attribute
}

/// A message of protobuf's wire format, written field by field.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(low(number & 0x7f) | 0x80);
            number >>= 7;
        }
        self.0.push(low(number));
    }

    fn number(&mut self, field: u64, number: u64) {
        self.key(field, 0);
        self.varint(number);
    }

    fn fixed64(&mut self, field: u64, bits: u64) {
        self.key(field, 1);
        self.0.extend_from_slice(&bits.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.key(field, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, field: u64, text: &str) {
        self.bytes(field, text.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}

/// A number below 256 as a byte.
const fn low(number: u64) -> u8 {
    number.to_le_bytes()[0]
}
