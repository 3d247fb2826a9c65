//! What callers can get wrong about variants.

use pulse_graphql::{ClientError, Code, PageError};

use crate::target::InvalidName;

/// What is wrong with a question about variants.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VariantError {
    /// A name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for VariantError {
    fn code(&self) -> Code {
        Code::BadUserInput
    }

    fn field(&self) -> Option<String> {
        match self {
            Self::Name(name) => Some(name.argument.to_owned()),
            Self::Page(error) => error.field(),
        }
    }
}
