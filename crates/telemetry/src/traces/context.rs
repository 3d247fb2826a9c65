//! Which trace something belongs to, and how processes tell each other (W3C Trace Context).

use std::fmt;
use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::Span;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;

use super::SpanRecord;

/// The header that names the trace.
pub const TRACEPARENT: &str = "traceparent";

/// The header that goes with it, passed on as it comes.
pub const TRACESTATE: &str = "tracestate";

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// Whether somebody keeps the trace.
    pub sampled: bool,
}

/// Text that names no place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no traceparent")]
pub struct NoTraceparent;

impl TraceContext {
    /// A place in a new trace.
    pub(super) fn begin() -> Self {
        let mut trace = [0; 16];
        trace[..8].copy_from_slice(&random());
        trace[8..].copy_from_slice(&random());
        Self { trace, span: random(), sampled: false }
    }

    /// Another place in the same trace.
    pub(super) fn child(self) -> Self {
        Self { span: random(), ..self }
    }

    /// A number that is the same in every process for the same trace, evenly between 0 and 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what the type holds exactly")]
    pub(super) fn share(&self) -> f64 {
        let last = self.trace.last_chunk::<8>().expect("a trace's id has sixteen bytes");
        // The specification calls the last seven bytes random.
        let number = u64::from_be_bytes(*last) & ((1 << 53) - 1);
        number as f64 / (1_u64 << 53) as f64
    }

    /// The trace's id, in hexadecimal digits.
    pub fn trace_id(&self) -> String {
        hex(&self.trace)
    }
}

/// Eight bytes that nobody can guess and that do not come again.
fn random() -> [u8; 8] {
    static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = KEY.hash_one(COUNT.fetch_add(1, Ordering::Relaxed));
    // Zero means that there is none.
    number.max(1).to_be_bytes()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = if self.sampled { "01" } else { "00" };
        write!(f, "00-{}-{}-{flags}", hex(&self.trace), hex(&self.span))
    }
}

impl FromStr for TraceContext {
    type Err = NoTraceparent;

    fn from_str(text: &str) -> Result<Self, NoTraceparent> {
        let mut parts = text.trim().split('-');
        let mut part = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length);
            part.filter(|part| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
                .ok_or(NoTraceparent)
        };
        let (version, trace, span, flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
        // Later versions may have more parts; this one has not.
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return Err(NoTraceparent);
        }
        let number = |text: &str| u128::from_str_radix(text, 16).map_err(|_| NoTraceparent);
        let (trace, span) = (number(trace)?, number(span)?);
        if trace == 0 || span == 0 {
            return Err(NoTraceparent);
        }
        let span = u64::try_from(span).map_err(|_| NoTraceparent)?;
        let sampled = number(flags)? & 1 == 1;
        Ok(Self { trace: trace.to_be_bytes(), span: span.to_be_bytes(), sampled })
    }
}

/// The place of the span in which this is called; `None` where nothing is traced.
pub fn current() -> Option<TraceContext> {
    let current = Span::current().with_subscriber(|(id, dispatch)| {
        let span = dispatch.downcast_ref::<Registry>()?.span(id)?;
        span.scope().find_map(|span| span.extensions().get::<SpanRecord>().map(|record| record.context))
    });
    current.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_and_written() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context: TraceContext = text.parse().unwrap();
        assert_eq!(context.to_string(), text);
        assert!(context.sampled);
        assert_eq!(context.child().trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        for wrong in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            assert_eq!(wrong.parse::<TraceContext>(), Err(NoTraceparent), "{wrong}");
        }
    }

    #[test]
    fn traces_fall_evenly_between_none_and_all() {
        let below = (0..1000).filter(|_| TraceContext::begin().share() < 0.5).count();
        assert!((400..600).contains(&below), "{below} of 1000");
    }
}
