//! What subscribers can get wrong.

use pulse_events::{FollowError, InvalidCursor};

use crate::{ClientError, Code};

/// Why a stream of changes cannot begin, or not go on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LiveError {
    /// What was given as `after` is no cursor.
    #[error(transparent)]
    Cursor(#[from] InvalidCursor),
    /// The log cannot be followed from there.
    #[error(transparent)]
    Place(FollowError),
    /// A list of a filter is too long.
    #[error(
        "`{field}` has {given} values, allowed are {allowed}: open several streams, or narrow by something else"
    )]
    TooMany {
        /// Which list.
        field: &'static str,
        /// How many values it has.
        given: usize,
        /// How many it may have.
        allowed: usize,
    },
}

impl ClientError for LiveError {
    fn code(&self) -> Code {
        match self {
            Self::Place(FollowError::Expired) => Code::CursorExpired,
            Self::Cursor(_) | Self::Place(_) | Self::TooMany { .. } => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        Some(match self {
            Self::Cursor(_) | Self::Place(_) => "after".to_owned(),
            Self::TooMany { field, .. } => format!("filter.{field}"),
        })
    }
}
