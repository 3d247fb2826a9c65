//! What can be wrong with a token.

use pulse_graphql::{ClientError, Code};

/// One text for all that can be wrong: unknown, used, too old, or for something else.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this link was used already, or its time is over: ask for a new one")]
pub(crate) struct InvalidToken;

impl ClientError for InvalidToken {
    fn code(&self) -> Code {
        Code::BadUserInput
    }

    fn field(&self) -> Option<String> {
        Some("input.token".to_owned())
    }
}
