//! What can be wrong with a domain.

use pulse_graphql::{ClientError, Code};

/// Why a domain cannot be claimed, shown or given up as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DomainError {
    /// Not a domain.
    #[error("this is not a domain: expected something like example.com")]
    Form,
    /// Enough of them.
    #[error("an organization has at most {0} domains: release one first")]
    TooMany(u32),
    /// Not one of the organization's.
    #[error("your organization has not claimed this domain")]
    NotFound,
    /// No such issuer.
    #[error("your organization has no such identity provider")]
    NoSuchProvider,
    /// The domain does not answer.
    #[error("{0}")]
    Unreachable(String),
    /// It answers with something else.
    #[error("{url} does not contain {proof}")]
    NotProven {
        /// Where it was looked for.
        url: String,
        /// What was looked for.
        proof: String,
    },
    /// Another organization was first.
    #[error(
        "another organization has shown that this domain is its own: ask the operator of this installation"
    )]
    Taken,
}

impl ClientError for DomainError {
    fn code(&self) -> Code {
        match self {
            Self::Form => Code::BadUserInput,
            Self::NotFound | Self::NoSuchProvider => Code::NotFound,
            Self::Unreachable(_) => Code::Unavailable,
            Self::TooMany(_) | Self::NotProven { .. } | Self::Taken => Code::Conflict,
        }
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::NoSuchProvider => Some("input.identityProviderId".to_owned()),
            Self::TooMany(_) => None,
            _ => Some("input.domain".to_owned()),
        }
    }
}
