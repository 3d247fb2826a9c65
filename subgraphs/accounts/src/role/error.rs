//! What callers can get wrong about roles.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::RoleId;

use super::{MAX_DESCRIPTION, MAX_ROLES};
use crate::access::AccessError;
use crate::name::InvalidName;

/// What is wrong with a request about a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RoleError {
    /// There is none that the caller may see.
    #[error("there is no role with the id {0}")]
    NotFound(RoleId),
    /// The name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Another one has the name, or each organization has it.
    #[error("there is a role called {0:?}: choose another name")]
    NameTaken(String),
    /// The description.
    #[error("a description has at most {MAX_DESCRIPTION} characters, this one has {0}")]
    Description(usize),
    /// It gives nothing.
    #[error("give at least one permission, such as `entity:read`")]
    Empty,
    /// What is wrong with its permissions.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// There are too many.
    #[error("an organization has at most {MAX_ROLES} roles of its own: delete what is not used")]
    TooMany,
    /// Somebody else changed it meanwhile.
    #[error("it has version {actual} by now, not {expected}: read it again")]
    VersionMismatch {
        /// What the caller knew.
        expected: i64,
        /// What it is.
        actual: i64,
    },
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for RoleError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::NameTaken(_) | Self::TooMany | Self::VersionMismatch { .. } => Code::Conflict,
            Self::Access(error) => error.code(),
            Self::Page(error) => error.code(),
            Self::Name(_) | Self::Description(_) | Self::Empty | Self::IdempotencyKey(_) => {
                Code::BadUserInput
            }
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_) => "input.id",
            Self::Name(_) | Self::NameTaken(_) => "input.name",
            Self::Description(_) => "input.description",
            Self::Empty | Self::Access(_) => "input.permissions",
            Self::VersionMismatch { .. } => "input.expectedVersion",
            Self::IdempotencyKey(_) => "input.idempotencyKey",
            Self::Page(error) => return error.field(),
            Self::TooMany => return None,
        };
        Some(field.to_owned())
    }
}
