//! What can be wrong with signing in and going on.

use pulse_graphql::{ClientError, Code};

/// Why somebody cannot sign in. One text for all that can be wrong: it must not say who has registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the email address, the password or the organization is not right")]
pub(crate) struct SignInError;

impl ClientError for SignInError {
    fn code(&self) -> Code {
        Code::Unauthenticated
    }
}

/// Why a session cannot go on as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SessionError {
    /// Unknown, too old, or of a session that has ended.
    #[error("this refresh token is not valid any more: sign in again")]
    InvalidToken,
    /// It came a moment after its exchange, as when two requests of one client race.
    #[error("this refresh token was exchanged a moment ago: use the one that it was exchanged for")]
    JustExchanged,
    /// It came long after its exchange, as when it was stolen.
    #[error("this refresh token was exchanged before, so its session was ended: sign in again")]
    Reused,
    /// The access token outlived its session.
    #[error("this session has ended: sign in again")]
    Ended,
    /// Not an organization of the caller's.
    #[error("there is no such organization, or you are no member of it")]
    NoSuchOrganization,
}

impl ClientError for SessionError {
    fn code(&self) -> Code {
        match self {
            Self::InvalidToken | Self::Reused | Self::Ended => Code::Unauthenticated,
            Self::JustExchanged => Code::Conflict,
            Self::NoSuchOrganization => Code::NotFound,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::InvalidToken | Self::JustExchanged | Self::Reused => "input.refreshToken",
            Self::NoSuchOrganization => "input.organizationId",
            Self::Ended => return None,
        };
        Some(field.to_owned())
    }
}
