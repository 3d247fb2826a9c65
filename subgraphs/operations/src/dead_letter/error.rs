//! What callers can get wrong about dead letters.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_types::DeadLetterId;

use crate::job::JobError;

/// What is wrong with a request about a dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DeadLetterError {
    /// There is none, or none that the caller may see.
    #[error("there is no dead letter {0}: it may have been retried or discarded")]
    NotFound(DeadLetterId),
    /// It is a job, and that cannot be done.
    #[error(transparent)]
    Job(#[from] JobError),
    /// No name is as long.
    #[error("`filter.name` has {0} characters, it may have 1 to 100")]
    Name(usize),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for DeadLetterError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::Job(error) => error.code(),
            Self::Name(_) => Code::BadUserInput,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => Some("input.id".to_owned()),
            Self::Job(error) => error.field(),
            Self::Name(_) => Some("filter.name".to_owned()),
            Self::Page(error) => error.field(),
        }
    }
}
