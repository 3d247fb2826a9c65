//! Composition, from SDL to supergraph or diagnostics.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod api;
mod cases;
mod changes;
mod mutations;
