//! Composition, from SDL to supergraph or diagnostics.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![expect(clippy::print_stdout, reason = "a test says what it measured, and where its randomness began")]

mod api;
mod cases;
mod changes;
mod contracts;
mod mutations;
mod style;
mod usage;
