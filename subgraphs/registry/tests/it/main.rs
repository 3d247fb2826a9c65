//! The subgraph on a database of its own.
#![expect(clippy::unwrap_used, reason = "a test stops where something is not as it must be")]

mod cases;
mod checks;
mod clients;
mod large;
mod publishing;
mod rights;
mod stage;
mod usage;
