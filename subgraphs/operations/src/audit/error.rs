//! What callers can get wrong about the audit.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;

/// What is wrong with a request for audit facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AuditError {
    /// No name is as long.
    #[error("`filter.{0}` has {1} characters, it may have 1 to 100")]
    Length(&'static str, usize),
    /// Nothing lies between.
    #[error("`filter.from` must be before `filter.to`")]
    Times,
    /// Nothing lies between.
    #[error("`from` must be before `to`")]
    Range,
    /// It is not known what will be done.
    #[error("`to` lies ahead: export what was done until now")]
    Ahead,
    /// Enough.
    #[error("{0} exports of this organization are under way: wait until one is done")]
    TooMany(i64),
    /// A repeated request, whose export is gone.
    #[error("the export that this request began is not there any more: use a new key")]
    NoExport,
    /// The key.
    #[error(transparent)]
    Key(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for AuditError {
    fn code(&self) -> Code {
        match self {
            Self::Length(..) | Self::Times | Self::Range | Self::Ahead | Self::Key(_) => Code::BadUserInput,
            Self::TooMany(_) => Code::Conflict,
            Self::NoExport => Code::NotFound,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Length(field, _) => Some(format!("filter.{field}")),
            Self::Times => Some("filter.from".to_owned()),
            Self::Range => Some("input.from".to_owned()),
            Self::Ahead => Some("input.to".to_owned()),
            Self::Key(_) | Self::NoExport => Some("input.idempotencyKey".to_owned()),
            Self::TooMany(_) => None,
            Self::Page(error) => error.field(),
        }
    }
}
