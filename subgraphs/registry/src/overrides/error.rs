//! What callers can get wrong about changes that are let through.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::SchemaOverrideId;

use crate::target::InvalidName;

/// What is wrong with a request about overrides.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum OverrideError {
    /// There is none, or none that the caller may see.
    #[error("there is no override {0}")]
    NotFound(SchemaOverrideId),
    /// A name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// What it concerns.
    #[error("a coordinate has 1 to 300 characters, such as User.name or Query.users(first:)")]
    Coordinate,
    /// A kind of change that is not there.
    #[error("there is no kind of change {0:?}: take the code of the change, such as FIELD_REMOVED")]
    UnknownCode(String),
    /// Why.
    #[error("a reason has 1 to 1000 characters, this one has {0}")]
    ReasonLength(usize),
    /// Until when.
    #[error("an override ends later than now, and within a year")]
    Expiry,
    /// As many as there may be.
    #[error("an environment has at most {0} overrides: delete those that are not needed")]
    TooMany(i64),
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for OverrideError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::TooMany(_) => Code::Conflict,
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_) => "id",
            Self::Name(name) => name.argument,
            Self::Coordinate => "coordinate",
            Self::UnknownCode(_) => "code",
            Self::ReasonLength(_) => "reason",
            Self::Expiry => "expiresAt",
            Self::TooMany(_) => return None,
            Self::IdempotencyKey(_) => "idempotencyKey",
            Self::Page(error) => return error.field(),
        };
        Some(format!("input.{field}"))
    }
}
