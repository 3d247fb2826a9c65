#![doc = include_str!("../README.md")]

mod log;
mod sequencer;
mod waker;

pub use log::{InvalidCursor, Log, LogCursor, LogEntry};
pub use sequencer::Sequencer;
pub use waker::Waker;

/// The channel on which a [`Waker`] tells a sequencer of commits.
const OUTBOX_CHANNEL: &str = "pulse_outbox";

/// The channel on which a sequencer tells readers of new positions.
pub const LOG_CHANNEL: &str = "pulse_log";
