//! What can be wrong with second factors.

use pulse_graphql::{ClientError, Code};

use crate::throttle::TooOften;
use crate::user::ProofError;

/// Why somebody's second factor stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FactorError {
    /// Not the person's password.
    #[error(transparent)]
    Password(#[from] ProofError),
    /// Not what the app shows, or shown before.
    #[error("this code is not right, or was used already: take the next one that your app shows")]
    WrongCode,
    /// Whoever guesses has to wait.
    #[error(transparent)]
    TooOften(#[from] TooOften),
    /// Neither, or both.
    #[error("show that it is you: give either your password or a code of your app")]
    OneProof,
    /// There is one already.
    #[error("codes of an app are asked of you already: remove that app first")]
    IsOn,
    /// There is none.
    #[error("no codes are asked of you: there is nothing to change")]
    IsOff,
    /// Nothing to confirm.
    #[error("no app was begun with in the last 15 minutes: begin again")]
    NotBegun,
}

impl ClientError for FactorError {
    fn code(&self) -> Code {
        match self {
            Self::Password(error) => error.code(),
            Self::WrongCode => Code::Forbidden,
            Self::TooOften(_) => Code::RateLimited,
            Self::OneProof => Code::BadUserInput,
            Self::IsOn | Self::IsOff | Self::NotBegun => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Password(error) => error.field(),
            Self::WrongCode | Self::TooOften(_) => Some("input.code".to_owned()),
            Self::OneProof => Some("input".to_owned()),
            Self::IsOn | Self::IsOff | Self::NotBegun => None,
        }
    }
}
