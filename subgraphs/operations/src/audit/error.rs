//! What callers can get wrong about the audit.

use pulse_graphql::{ClientError, Code, PageError};

/// What is wrong with a request for audit facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuditError {
    /// No name is as long.
    #[error("`filter.{0}` has {1} characters, it may have 1 to 100")]
    Length(&'static str, usize),
    /// Nothing lies between.
    #[error("`filter.from` must be before `filter.to`")]
    Times,
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for AuditError {
    fn code(&self) -> Code {
        match self {
            Self::Length(..) | Self::Times => Code::BadUserInput,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Length(field, _) => Some(format!("filter.{field}")),
            Self::Times => Some("filter.from".to_owned()),
            Self::Page(error) => error.field(),
        }
    }
}
