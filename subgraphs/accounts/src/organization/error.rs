//! What can be wrong with an organization.

use pulse_graphql::{ClientError, Code};
use pulse_store::InvalidIdempotencyKey;

use super::InvalidSlug;
use crate::name::InvalidName;

/// Why an organization cannot be found, made or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrganizationError {
    /// Not a slug.
    #[error(transparent)]
    Slug(#[from] InvalidSlug),
    /// Not a name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Not an idempotency key.
    #[error(transparent)]
    Key(#[from] InvalidIdempotencyKey),
    /// Another organization has it.
    #[error("the slug {0:?} is taken: choose another")]
    SlugTaken(String),
    /// Two ways to say which one.
    #[error("give `id` or `slug`, not both")]
    IdAndSlug,
}

impl ClientError for OrganizationError {
    fn code(&self) -> Code {
        match self {
            Self::SlugTaken(_) => Code::Conflict,
            Self::Slug(_) | Self::Name(_) | Self::Key(_) | Self::IdAndSlug => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Slug(_) | Self::SlugTaken(_) => "input.slug",
            Self::Name(_) => "input.name",
            Self::Key(_) => "input.idempotencyKey",
            Self::IdAndSlug => return None,
        };
        Some(field.to_owned())
    }
}
