//! What callers can get wrong about events.

use chrono::{DateTime, Utc};
use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;

use super::{MAX_AGE_DAYS, MAX_BATCH, MAX_PROPERTIES};

/// What is wrong with a request about events.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum EventError {
    /// Too many at once, or none.
    #[error("{0} events at once: allowed is 1 to {MAX_BATCH}")]
    BatchSize(usize),
    /// One event of the batch.
    #[error("{problem}")]
    Event {
        /// Which one.
        index: usize,
        /// What is wrong with it.
        problem: EventProblem,
    },
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

/// What is wrong with one event.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum EventProblem {
    /// The name is empty or too long.
    #[error("a name has 1 to 200 characters, this one has {0}")]
    Name(usize),
    /// It has not happened yet.
    #[error("{0} is more than a day ahead: check the clock and the time zone of the sender")]
    Future(DateTime<Utc>),
    /// Too long ago.
    #[error("{0} is more than {MAX_AGE_DAYS} days ago: events are kept for ten years")]
    Past(DateTime<Utc>),
    /// NaN or infinite.
    #[error("the value is not a finite number")]
    Value,
    /// The key is empty or too long.
    #[error("a dedupe key has 1 to 255 characters, this one has {0}")]
    DedupeKey(usize),
    /// The properties are too large.
    #[error("the properties have {0} bytes as JSON, allowed are {MAX_PROPERTIES}")]
    Properties(usize),
}

impl EventProblem {
    const fn field(&self) -> &'static str {
        match self {
            Self::Name(_) => "name",
            Self::Future(_) | Self::Past(_) => "at",
            Self::Value => "value",
            Self::DedupeKey(_) => "dedupeKey",
            Self::Properties(_) => "properties",
        }
    }
}

impl ClientError for EventError {
    fn code(&self) -> Code {
        Code::BadUserInput
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::BatchSize(_) => Some("input.events".to_owned()),
            Self::Event { index, problem } => Some(format!("input.events[{index}].{}", problem.field())),
            Self::IdempotencyKey(_) => Some("input.idempotencyKey".to_owned()),
            Self::Page(error) => error.field(),
        }
    }
}
