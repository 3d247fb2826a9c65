//! One answer of a live query.

use std::sync::OnceLock;

use bytes::{BufMut, Bytes, BytesMut};

use super::patch;
use crate::engine::ExecutionResult;
use crate::value::Value;

/// An answer, and what it came after.
pub(super) struct Snapshot {
    /// Counted from one.
    pub(super) number: u64,
    pub(super) result: ExecutionResult,
    /// The body of the answer before.
    before: Option<Bytes>,
    /// What differs from that, once somebody wants to know: a whole body.
    delta: OnceLock<Option<Bytes>>,
}

impl Snapshot {
    pub(super) const fn first(result: ExecutionResult) -> Self {
        Self { number: 1, result, before: None, delta: OnceLock::new() }
    }

    pub(super) fn after(&self, result: ExecutionResult) -> Self {
        let (number, before) = (self.number + 1, Some(self.result.body.clone()));
        Self { number, result, before, delta: OnceLock::new() }
    }

    /// Whether a client would see no difference.
    pub(super) fn is_like(&self, result: &ExecutionResult) -> bool {
        self.result.body == result.body
    }

    /// The answer for a client that has the one before: what differs, where that is shorter than the whole.
    pub(super) fn delta(&self) -> Option<ExecutionResult> {
        let delta = self.delta.get_or_init(|| body(self.before.as_ref()?, &self.result.body)).clone()?;
        Some(ExecutionResult { body: delta, ..self.result.clone() })
    }
}

fn body(before: &Bytes, now: &Bytes) -> Option<Bytes> {
    let (before, after) = (Value::parse(before).ok()?, Value::parse(now).ok()?);
    let mut out = BytesMut::with_capacity(256);
    out.put_slice(br#"{"extensions":{"patch":"#);
    patch::write(&before, &after, &mut out);
    out.put_slice(b"}}");
    (out.len() < now.len()).then(|| out.freeze())
}
