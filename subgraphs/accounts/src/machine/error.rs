//! What callers can get wrong about API keys and service accounts.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::MachineId;

use super::{MAX_LIST, MAX_OVERLAP, MAX_PER_ORGANIZATION};
use crate::access::AccessError;
use crate::name::InvalidName;

/// What is wrong with a request about an API key or a service account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MachineError {
    /// There is none that the caller may see.
    #[error("there is none with the id {0}")]
    NotFound(MachineId),
    /// It is over.
    #[error("it was revoked: make another one")]
    Revoked,
    /// The name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// It may do nothing.
    #[error("give at least one scope: a permission such as `entity:read`")]
    NoScope,
    /// It would let somebody do more than they may.
    #[error("you may not give what you do not have: {}", .0.join(", "))]
    ScopesTooWide(Vec<String>),
    /// Nor may its secret let somebody do more on single things.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A list is too long.
    #[error("`{0}` has at most {MAX_LIST} entries")]
    TooLong(&'static str),
    /// No name and no hash.
    #[error("{0:?} is neither the name of an operation nor the SHA-256 of its text in hexadecimal")]
    Operation(String),
    /// The name of a client application.
    #[error(
        "{0:?} is no name of a client application: 1 to 60 small letters, digits and hyphens, not beginning with a hyphen"
    )]
    Client(String),
    /// No network.
    #[error("{0:?} is no network: expected an address, or a range such as 192.0.2.0/24 or 2001:db8::/32")]
    Network(String),
    /// A rate or a budget.
    #[error("`{0}` is at least 1")]
    Limit(&'static str),
    /// It would have ended already.
    #[error("`expiresAt` is over already")]
    Expired,
    /// How long both secrets are good.
    #[error("the old secret stays good for 0 to {MAX_OVERLAP} seconds")]
    Overlap,
    /// There are too many.
    #[error(
        "an organization has at most {MAX_PER_ORGANIZATION} API keys and service accounts: revoke what is not used"
    )]
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

impl ClientError for MachineError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::ScopesTooWide(_) => Code::Forbidden,
            Self::Access(error) => error.code(),
            Self::Revoked | Self::TooMany | Self::VersionMismatch { .. } => Code::Conflict,
            Self::Page(error) => error.code(),
            Self::Name(_)
            | Self::NoScope
            | Self::TooLong(_)
            | Self::Operation(_)
            | Self::Client(_)
            | Self::Network(_)
            | Self::Limit(_)
            | Self::Expired
            | Self::Overlap
            | Self::IdempotencyKey(_) => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_) => "input.id",
            Self::Name(_) => "input.name",
            Self::NoScope | Self::ScopesTooWide(_) => "input.scopes",
            Self::TooLong(field) | Self::Limit(field) => return Some(format!("input.{field}")),
            Self::Operation(_) => "input.operations",
            Self::Client(_) => "input.client",
            Self::Network(_) => "input.networks",
            Self::Expired => "input.expiresAt",
            Self::Overlap => "input.overlapSeconds",
            Self::VersionMismatch { .. } => "input.expectedVersion",
            Self::IdempotencyKey(_) => "input.idempotencyKey",
            Self::Page(error) => return error.field(),
            Self::Access(_) | Self::Revoked | Self::TooMany => return None,
        };
        Some(field.to_owned())
    }
}
