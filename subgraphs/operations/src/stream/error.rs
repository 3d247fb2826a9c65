//! What callers can get wrong about streams.

use pulse_graphql::{ClientError, Code, PageError};

/// What is wrong with a request about streams.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum StreamError {
    /// Which ones is not said.
    #[error("say which streams to end: give streamId, userId, machineId, session or operationName")]
    Nothing,
    /// The reason is too long.
    #[error("a reason has at most {max} characters, this one has {given}")]
    ReasonLength {
        /// How long it is.
        given: usize,
        /// The limit.
        max: usize,
    },
    /// The name is too long.
    #[error(
        "the name of an operation has at most {max} characters here, this one has {given}: give its hash instead"
    )]
    NameLength {
        /// How long it is.
        given: usize,
        /// The limit.
        max: usize,
    },
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for StreamError {
    fn code(&self) -> Code {
        match self {
            Self::Nothing | Self::ReasonLength { .. } | Self::NameLength { .. } => Code::BadUserInput,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Nothing => Some("input".to_owned()),
            Self::ReasonLength { .. } => Some("input.reason".to_owned()),
            Self::NameLength { .. } => Some("input.operationName".to_owned()),
            Self::Page(error) => error.field(),
        }
    }
}
