//! What can be wrong with an issuer of an organization.

use pulse_graphql::{ClientError, Code};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::IdentityProviderId;

use crate::name::InvalidName;
use crate::oidc::{InvalidIssuer, IssuerError};

/// Why an issuer cannot be made, changed or tried as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error(transparent)]
    Name(#[from] InvalidName),
    #[error(transparent)]
    Issuer(#[from] InvalidIssuer),
    #[error(transparent)]
    Key(#[from] InvalidIdempotencyKey),
    #[error("a client id has 1 to 255 characters, this one has {0}")]
    ClientId(usize),
    #[error("a client secret has 1 to 1000 characters, this one has {0}")]
    ClientSecret(usize),
    /// Scopes are words with blanks between.
    #[error("scopes are at most 20 words of at most 100 characters, without blanks and quotation marks")]
    Scopes,
    #[error("the path of a claim has 1 to 255 characters, this one has {0}")]
    RoleClaim(usize),
    #[error("at most 100 values of at most 255 characters give roles")]
    RoleMappings,
    /// Values of which claim?
    #[error("values that give roles need the claim that has them: set roleClaim")]
    NoRoleClaim,
    #[error("an organization has at most {0} identity providers: delete one first")]
    TooMany(u32),
    #[error("there is no identity provider {0} in this organization")]
    NotFound(IdentityProviderId),
    #[error("the identity provider has version {actual} by now, not {expected}: read it again")]
    Version { expected: i64, actual: i64 },
    /// Asking it went wrong.
    #[error(transparent)]
    Asked(IssuerError),
}

impl ClientError for ProviderError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::TooMany(_) | Self::Version { .. } => Code::Conflict,
            Self::Asked(IssuerError::Down { .. }) => Code::Unavailable,
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Name(_) => "name",
            Self::Issuer(_) | Self::Asked(_) => "issuer",
            Self::Key(_) => "idempotencyKey",
            Self::ClientId(_) => "clientId",
            Self::ClientSecret(_) => "clientSecret",
            Self::Scopes => "scopes",
            Self::RoleClaim(_) | Self::NoRoleClaim => "roleClaim",
            Self::RoleMappings => "roleMappings",
            Self::NotFound(_) => "id",
            Self::Version { .. } => "expectedVersion",
            Self::TooMany(_) => return None,
        };
        Some(format!("input.{field}"))
    }
}
