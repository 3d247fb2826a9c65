//! What can be wrong with passkeys.

use pulse_graphql::{ClientError, Code};

use crate::name::InvalidName;
use crate::user::ProofError;

/// Why somebody's passkeys stay as they are, or one does not sign in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasskeyError {
    /// Not the person's password.
    #[error(transparent)]
    Password(#[from] ProofError),
    /// Not what people call something.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Made by somebody else, too long ago, or used.
    #[error("this was begun too long ago, or was finished already: begin again")]
    Ceremony,
    /// The browser's answer is none.
    #[error("this is not what a browser answers: {0}")]
    Malformed(String),
    /// The answer is not one to what was asked, or the passkey is none of anybody's. One text for all of it.
    #[error("this passkey is not right")]
    Wrong,
    /// It is registered already.
    #[error("this passkey is registered already")]
    Taken,
    /// Enough.
    #[error("you have {0} passkeys already: remove one first")]
    TooMany(i64),
    /// None of the caller's.
    #[error("you have no such passkey")]
    NoSuchPasskey,
    /// Not an organization of the person's.
    #[error("there is no such organization, or you are no member of it")]
    NoSuchOrganization,
}

impl ClientError for PasskeyError {
    fn code(&self) -> Code {
        match self {
            Self::Password(error) => error.code(),
            Self::Name(_) | Self::Ceremony | Self::Malformed(_) => Code::BadUserInput,
            Self::Wrong => Code::Unauthenticated,
            Self::Taken | Self::TooMany(_) => Code::Conflict,
            Self::NoSuchPasskey | Self::NoSuchOrganization => Code::NotFound,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Password(error) => return error.field(),
            Self::Name(_) => "input.name",
            Self::Ceremony => "input.ceremony",
            Self::Malformed(_) | Self::Wrong | Self::Taken => "input.credential",
            Self::NoSuchPasskey => "input.passkeyId",
            Self::NoSuchOrganization => "input.organizationSlug",
            Self::TooMany(_) => return None,
        };
        Some(field.to_owned())
    }
}
