//! What can be wrong with signing in and going on.

use pulse_graphql::{ClientError, Code};

use crate::one_time_token::InvalidToken;
use crate::passkey::PasskeyError;
use crate::throttle::TooOften;
use crate::user::InvalidEmail;

/// Why somebody cannot sign in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignInError {
    /// One text for all that can be wrong: it must not say who has registered.
    #[error("the email address, the password or the organization is not right")]
    Wrong,
    /// Whoever guesses has to wait.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl ClientError for SignInError {
    fn code(&self) -> Code {
        match self {
            Self::Wrong => Code::Unauthenticated,
            Self::TooOften(_) => Code::RateLimited,
        }
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
    /// Not a session of the caller's.
    #[error("you have no such session")]
    NoSuchSession,
    /// What an organization's identity provider begins stays in that organization.
    #[error(
        "this session was begun by an organization's identity provider, and stays in it: sign in in another way"
    )]
    Confined,
}

impl ClientError for SessionError {
    fn code(&self) -> Code {
        match self {
            Self::InvalidToken | Self::Reused | Self::Ended => Code::Unauthenticated,
            Self::JustExchanged => Code::Conflict,
            Self::Confined => Code::Forbidden,
            Self::NoSuchOrganization | Self::NoSuchSession => Code::NotFound,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::InvalidToken | Self::JustExchanged | Self::Reused => "input.refreshToken",
            Self::NoSuchOrganization | Self::Confined => "input.organizationId",
            Self::NoSuchSession => "input.sessionId",
            Self::Ended => return None,
        };
        Some(field.to_owned())
    }
}

/// Why somebody does not get through the second step of signing in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecondStepError {
    /// Unknown, too old, answered, or answered wrongly too often.
    #[error("this sign-in was not finished in time, or has ended: begin again")]
    NoChallenge,
    /// Not what the app shows, not a recovery code, or used before.
    #[error("this code is not right, or was used already")]
    Wrong,
    /// Neither, or both.
    #[error("give a code of your app, a recovery code or a passkey, and one of them alone")]
    OneFactor,
    /// Not what a browser answers, or not to what was asked.
    #[error(transparent)]
    Passkey(#[from] PasskeyError),
    /// Whoever guesses has to wait.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl ClientError for SecondStepError {
    fn code(&self) -> Code {
        match self {
            Self::NoChallenge | Self::OneFactor => Code::BadUserInput,
            Self::Wrong => Code::Unauthenticated,
            Self::TooOften(_) => Code::RateLimited,
            Self::Passkey(error) => error.code(),
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Passkey(PasskeyError::Ceremony) => "input.passkey.ceremony",
            Self::Passkey(_) => "input.passkey.credential",
            Self::NoChallenge => "input.challenge",
            Self::OneFactor => "input",
            Self::Wrong | Self::TooOften(_) => return None,
        };
        Some(field.to_owned())
    }
}

/// Why somebody cannot sign in by a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MagicLinkError {
    /// Not an address.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// Not a token of ours any more.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// Not an organization of the person's.
    #[error("there is no such organization, or you are no member of it")]
    NoSuchOrganization,
    /// Enough letters were sent.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl ClientError for MagicLinkError {
    fn code(&self) -> Code {
        match self {
            Self::Email(_) => Code::BadUserInput,
            Self::Token(error) => error.code(),
            Self::NoSuchOrganization => Code::NotFound,
            Self::TooOften(_) => Code::RateLimited,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Email(_) => "input.email",
            Self::Token(_) => "input.token",
            Self::NoSuchOrganization => "input.organizationSlug",
            Self::TooOften(_) => return None,
        };
        Some(field.to_owned())
    }
}
