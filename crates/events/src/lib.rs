#![doc = include_str!("../README.md")]

mod caching;
mod cursor;
mod groups;
mod log;
mod relay;
mod retention;
mod sequencer;
mod tail;
mod waker;

pub use caching::WrittenElsewhere;
pub use cursor::{InvalidCursor, LogCursor};
pub use groups::{
    Begin, Consumer, ConsumerError, DeadLetter, Group, GroupOptions, GroupRunner, Groups, Handling, Step,
};
pub use log::{Log, LogHead};
pub use relay::{Publisher, Relay, RelayError};
pub use retention::Retention;
pub use sequencer::Sequencer;
pub use tail::{Follow, FollowError, Heard, Route, Tail, TailReader, Topic, Wanted};
pub use waker::Waker;

/// The channel on which a [`Waker`] tells a sequencer of commits.
const OUTBOX_CHANNEL: &str = "pulse_outbox";

/// The channel on which a sequencer tells readers of new positions.
pub const LOG_CHANNEL: &str = "pulse_log";
