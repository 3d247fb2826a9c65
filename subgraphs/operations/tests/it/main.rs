//! Webhooks, jobs and what else there is in the background, against a real database and real receivers.
#![expect(clippy::unwrap_used, reason = "a test fails where it stands")]

mod api;
mod dead_letters;
mod delivery;
mod failing;
mod jobs;
mod network;
mod pausing;
mod receiver;
mod schedules;
mod sealing;
mod stage;
mod streams;
mod turns;
