//! What can be wrong with a user.

use pulse_graphql::{ClientError, Code};
use pulse_store::InvalidIdempotencyKey;

use super::{InvalidEmail, InvalidPassword};
use crate::invitation::AnswerError;
use crate::name::InvalidName;
use crate::one_time_token::InvalidToken;
use crate::throttle::TooOften;

/// Why a user cannot be made or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    /// Not an address.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// Not an acceptable password.
    #[error(transparent)]
    Password(#[from] InvalidPassword),
    /// Not a name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Not an idempotency key.
    #[error(transparent)]
    Key(#[from] InvalidIdempotencyKey),
    /// Somebody has registered with this address.
    #[error("somebody has registered with this email address already: sign in instead")]
    AddressTaken,
    /// The invitation is not for this address, or good no more.
    #[error(transparent)]
    Invitation(#[from] AnswerError),
    /// Whoever tries has to wait.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl ClientError for UserError {
    fn code(&self) -> Code {
        match self {
            Self::TooOften(_) => Code::RateLimited,
            Self::Invitation(error) => error.code(),
            Self::AddressTaken => Code::Conflict,
            Self::Email(_) | Self::Password(_) | Self::Name(_) | Self::Key(_) => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Email(_) | Self::AddressTaken => "input.email",
            Self::Password(_) => "input.password",
            Self::Name(_) => "input.name",
            Self::Key(_) => "input.idempotencyKey",
            Self::Invitation(_) => "input.invitationToken",
            Self::TooOften(_) => return None,
        };
        Some(field.to_owned())
    }
}

/// Why somebody in a session does not get to do what needs its password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProofError {
    /// Whoever asks may have found an open session.
    #[error("this is not your password")]
    Wrong,
    /// Whoever guesses has to wait.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl ClientError for ProofError {
    fn code(&self) -> Code {
        match self {
            Self::Wrong => Code::Forbidden,
            Self::TooOften(_) => Code::RateLimited,
        }
    }

    fn field(&self) -> Option<String> {
        Some("input.password".to_owned())
    }
}

/// Why somebody's address cannot be another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressError {
    /// Not an address.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// Not the password of before.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Not a token of ours any more.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// Somebody has registered with it meanwhile.
    #[error("somebody has registered with this email address meanwhile: choose another one")]
    Taken,
}

impl ClientError for AddressError {
    fn code(&self) -> Code {
        match self {
            Self::Email(_) => Code::BadUserInput,
            Self::Proof(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Taken => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Email(_) => "input.email",
            Self::Proof(_) => "input.password",
            Self::Token(_) | Self::Taken => "input.token",
        };
        Some(field.to_owned())
    }
}

/// Why somebody's password cannot be another one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NewPasswordError {
    /// Not an address.
    #[error(transparent)]
    Email(#[from] InvalidEmail),
    /// Not an acceptable password.
    #[error(transparent)]
    NewPassword(#[from] InvalidPassword),
    /// Not the password of before.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// Not a token of ours any more.
    #[error(transparent)]
    Token(#[from] InvalidToken),
    /// Enough letters were sent.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl ClientError for NewPasswordError {
    fn code(&self) -> Code {
        match self {
            Self::Email(_) | Self::NewPassword(_) => Code::BadUserInput,
            Self::Proof(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::TooOften(_) => Code::RateLimited,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Email(_) => "input.email",
            Self::NewPassword(_) => "input.newPassword",
            Self::Proof(_) => "input.password",
            Self::Token(_) => "input.token",
            Self::TooOften(_) => return None,
        };
        Some(field.to_owned())
    }
}
