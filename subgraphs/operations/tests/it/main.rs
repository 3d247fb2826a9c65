//! Webhooks against a real database and real receivers.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod api;
mod delivery;
mod failing;
mod network;
mod pausing;
mod receiver;
mod sealing;
mod stage;
mod streams;
mod turns;
