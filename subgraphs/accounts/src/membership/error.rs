//! What can be wrong with a membership.

use pulse_graphql::{ClientError, Code, PageError};

use crate::user::InvalidEmail;

/// Why a membership cannot be made or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MembershipError {
    /// Not an address.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// No user has this address.
    #[error("nobody has registered with this email address: ask the person to register first")]
    UnknownAddress,
    /// The person is a member already.
    #[error("this person is a member already: change the role instead")]
    AlreadyMember,
    /// No such member.
    #[error("this person is no member of the organization")]
    NotFound,
    /// Nobody could manage the organization any more.
    #[error("an organization keeps at least one owner: make another member an owner first")]
    LastOwner,
}

impl ClientError for MembershipError {
    fn code(&self) -> Code {
        match self {
            Self::Email(_) => Code::BadUserInput,
            Self::UnknownAddress | Self::NotFound => Code::NotFound,
            Self::AlreadyMember | Self::LastOwner => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Email(_) | Self::UnknownAddress | Self::AlreadyMember => "input.email",
            Self::NotFound | Self::LastOwner => "input.userId",
        };
        Some(field.to_owned())
    }
}

/// Why members cannot be listed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MembersError {
    /// Wrong arguments.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Not the tenant that the caller acts in.
    #[error("you act in another organization: call `switchOrganization` to see this one's members")]
    OtherOrganization,
}

impl ClientError for MembersError {
    fn code(&self) -> Code {
        match self {
            Self::Page(error) => error.code(),
            Self::OtherOrganization => Code::Forbidden,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Page(error) => error.field(),
            Self::OtherOrganization => None,
        }
    }
}
