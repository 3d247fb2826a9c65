//! What can be wrong with a user.

use pulse_graphql::{ClientError, Code};
use pulse_store::InvalidIdempotencyKey;

use super::{InvalidEmail, InvalidPassword};
use crate::name::InvalidName;

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
}

impl ClientError for UserError {
    fn code(&self) -> Code {
        match self {
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
        };
        Some(field.to_owned())
    }
}
