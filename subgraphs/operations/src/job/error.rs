//! What callers can get wrong about jobs.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::JobId;

/// What is wrong with a request about a job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JobError {
    /// There is none, or none that the caller may see, or it was forgotten.
    #[error("there is no job {0}: it may have ended too long ago to be kept")]
    NotFound(JobId),
    /// It has ended.
    #[error("the job {id} has {status} already: there is nothing to cancel")]
    Ended {
        /// Which one.
        id: JobId,
        /// How it ended.
        status: &'static str,
    },
    /// It was done.
    #[error("the job {0} is completed: only those that failed or were cancelled are retried")]
    Completed(JobId),
    /// Another one does the same.
    #[error("another job does the same as {0} already: wait for it")]
    Repeated(JobId),
    /// Nothing can be.
    #[error("`filter.kind` has {0} characters, it may have 1 to 100")]
    Kind(usize),
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for JobError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::Ended { .. } | Self::Completed(_) | Self::Repeated(_) => Code::Conflict,
            Self::Kind(_) | Self::IdempotencyKey(_) => Code::BadUserInput,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_) | Self::Ended { .. } | Self::Completed(_) | Self::Repeated(_) => "input.id",
            Self::Kind(_) => "filter.kind",
            Self::IdempotencyKey(_) => "input.idempotencyKey",
            Self::Page(error) => return error.field(),
        };
        Some(field.to_owned())
    }
}
