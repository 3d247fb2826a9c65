//! What callers can get wrong about schedules.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_types::ScheduleId;

/// What is wrong with a request about a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScheduleError {
    /// There is none, or none that the caller may see.
    #[error("there is no schedule {0}")]
    NotFound(ScheduleId),
    /// It cannot fire.
    #[error(
        "the schedule {0} never fires again: its time does not come, or its time zone is no longer known"
    )]
    Never(ScheduleId),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for ScheduleError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::Never(_) => Code::Conflict,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NotFound(_) | Self::Never(_) => Some("input.id".to_owned()),
            Self::Page(error) => error.field(),
        }
    }
}
