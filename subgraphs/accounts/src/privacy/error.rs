//! What callers can get wrong about exports and erasures.

use pulse_graphql::{ClientError, Code};

use crate::membership::MembershipError;

/// What is wrong with a request for an export.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ExportError {
    /// Nobody that the caller may know of.
    #[error("there is no such member of this organization")]
    NoSuchMember,
    /// Enough.
    #[error("{0} exports that you have asked for are under way: wait until one is done")]
    TooMany(i64),
}

impl ClientError for ExportError {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchMember => Code::NotFound,
            Self::TooMany(_) => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NoSuchMember => Some("input.userId".to_owned()),
            Self::TooMany(_) => None,
        }
    }
}

/// What is wrong with a request to make somebody anonymous.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AnonymizationError {
    /// Nobody of whom the organization knows.
    #[error("there is no such person in this organization, nor has there been")]
    NoSuchPerson,
    /// Nobody could say any more who has asked for it.
    #[error("you cannot make yourself anonymous: ask another admin of this organization")]
    Yourself,
    /// The membership cannot end.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// It is asked for already.
    #[error("making this person anonymous was asked for before, and is being done")]
    AskedBefore,
}

impl ClientError for AnonymizationError {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchPerson => Code::NotFound,
            Self::Yourself => Code::Forbidden,
            Self::Membership(error) => error.code(),
            Self::AskedBefore => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        Some("input.userId".to_owned())
    }
}

/// What is wrong with a request to erase somebody, or to take that back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ErasureError {
    /// Nobody that the caller may know of.
    #[error("there is no such member of this organization")]
    NoSuchMember,
    /// Others have a say in it.
    #[error(
        "this person is a member of other organizations too: remove the member from yours; erasing everything is for the person to ask"
    )]
    MemberElsewhere,
    /// Nobody could manage the organization any more.
    #[error(
        "this person is the only owner of an organization that has other members: make another member its owner first"
    )]
    SoleOwner,
    /// It is asked for already.
    #[error("erasing this person was asked for before")]
    AskedBefore,
    /// It does not take back anything.
    #[error("the token is not valid: it was used, the time of grace is over, or it never was one")]
    InvalidToken,
}

impl ClientError for ErasureError {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchMember => Code::NotFound,
            Self::MemberElsewhere | Self::SoleOwner | Self::AskedBefore => Code::Conflict,
            Self::InvalidToken => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NoSuchMember | Self::MemberElsewhere | Self::SoleOwner | Self::AskedBefore => {
                Some("input.userId".to_owned())
            }
            Self::InvalidToken => Some("input.token".to_owned()),
        }
    }
}
