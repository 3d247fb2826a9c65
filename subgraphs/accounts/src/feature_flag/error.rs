//! What can be wrong with a feature.

use pulse_graphql::{ClientError, Code};
use pulse_store::InvalidIdempotencyKey;

use super::{MAX_FLAGS, MAX_LISTED, MAX_RULES};

/// Why a feature cannot be made or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FlagError {
    /// Not a key.
    #[error("a key has 1 to 64 characters: a-z, 0-9, dot, dash and underscore, with a letter first")]
    Key,
    /// Another one has it.
    #[error("your organization has a feature flag with this key already: choose another")]
    Taken,
    /// Too long.
    #[error("a description has at most 500 characters")]
    Description,
    /// Too many rules.
    #[error("a feature flag has at most {MAX_RULES} rules")]
    Rules,
    /// Too many in a list.
    #[error("a rule names at most {MAX_LISTED} of each kind")]
    Listed,
    /// Not a share.
    #[error("a share is 0 to 100 per cent")]
    Percentage,
    /// Too many.
    #[error("an organization has at most {MAX_FLAGS} feature flags: delete one first")]
    TooMany,
    /// No such feature.
    #[error("your organization has no such feature flag")]
    NotFound,
    /// Somebody was faster.
    #[error("this feature flag has version {0} by now: read it again, and change what you still want to")]
    Outdated(i64),
    /// Not an idempotency key.
    #[error(transparent)]
    Idempotency(#[from] InvalidIdempotencyKey),
}

impl ClientError for FlagError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::Taken | Self::TooMany | Self::Outdated(_) => Code::Conflict,
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Key | Self::Taken => "input.key",
            Self::Description => "input.description",
            Self::Rules | Self::Listed | Self::Percentage => "input.rules",
            Self::NotFound => "input.id",
            Self::Outdated(_) => "input.version",
            Self::Idempotency(_) => "input.idempotencyKey",
            Self::TooMany => return None,
        };
        Some(field.to_owned())
    }
}
