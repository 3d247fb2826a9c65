//! What callers can get wrong about collections.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::CollectionId;

/// What is wrong with a request about a collection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CollectionError {
    /// There is none, or none that the caller may see.
    #[error("there is no collection {0}")]
    NotFound(CollectionId),
    /// Another collection has the name.
    #[error("a collection named {0:?} exists already: choose another name")]
    NameTaken(String),
    /// The name is empty or too long.
    #[error("a name has 1 to 200 characters, this one has {0}")]
    NameLength(usize),
    /// A setting is out of its range.
    #[error("{given} is out of range: allowed is {min} to {max}{why}")]
    Range {
        /// The input field.
        field: &'static str,
        /// What was given.
        given: i32,
        /// The least.
        min: i32,
        /// The most.
        max: i32,
        /// Why, with a leading space, or nothing.
        why: &'static str,
    },
    /// The tenant has as many as it may.
    #[error("an organization has at most {0} collections: delete one that is not needed")]
    TooMany(i64),
    /// Somebody changed it meanwhile.
    #[error("the collection has version {actual}, not {expected}: read it again and decide anew")]
    VersionMismatch {
        /// What the caller had read.
        expected: i64,
        /// What is stored.
        actual: i64,
    },
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for CollectionError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::NameTaken(_) | Self::TooMany(_) | Self::VersionMismatch { .. } => Code::Conflict,
            Self::NameLength(_) | Self::Range { .. } | Self::IdempotencyKey(_) => Code::BadUserInput,
            Self::Page(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NotFound(_) => Some("input.id".to_owned()),
            Self::NameTaken(_) | Self::NameLength(_) => Some("input.name".to_owned()),
            Self::Range { field, .. } => Some(format!("input.{field}")),
            Self::VersionMismatch { .. } => Some("input.expectedVersion".to_owned()),
            Self::IdempotencyKey(_) => Some("input.idempotencyKey".to_owned()),
            Self::TooMany(_) => None,
            Self::Page(error) => error.field(),
        }
    }
}
