//! What callers can get wrong about consents.

use pulse_graphql::{ClientError, Code};

/// What is wrong with a consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ConsentError {
    /// No name for it.
    #[error("`purpose` has 1 to 64 of a-z, 0-9, dot, dash and underscore, such as `newsletter`")]
    Purpose,
    /// No version.
    #[error("`version` has 1 to 64 characters, such as `2026-03`")]
    Version,
    /// Nothing to withdraw.
    #[error("you have not consented to that, or have withdrawn it")]
    NotGiven,
    /// Two requests at the same time.
    #[error("you have consented to another version at the same moment: ask again if this one is meant")]
    AtOnce,
}

impl ClientError for ConsentError {
    fn code(&self) -> Code {
        match self {
            Self::Purpose | Self::Version => Code::BadUserInput,
            Self::NotGiven => Code::NotFound,
            Self::AtOnce => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Purpose | Self::NotGiven => Some("input.purpose".to_owned()),
            Self::Version | Self::AtOnce => Some("input.version".to_owned()),
        }
    }
}
