//! What callers can get wrong about how changes are judged.

use pulse_graphql::{ClientError, Code};

use crate::target::InvalidName;

/// What is wrong with a request about rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RulesError {
    /// A name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Something that is too small or too large.
    #[error("it is {least} to {most}")]
    Range {
        /// Which input field.
        argument: &'static str,
        /// At least so much.
        least: i64,
        /// At most so much.
        most: i64,
    },
    /// A list that is too long, or has something in it that is.
    #[error("it has at most 100 entries of 1 to 200 characters")]
    List(&'static str),
    /// A rule that is not there.
    #[error("there is no rule {given:?}; the rules are {}", known.join(", "))]
    UnknownRule {
        /// What was given, cut to 64 characters.
        given: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// As many environments as there may be.
    #[error("an organization has at most {0} environments")]
    TooMany(i64),
    /// Somebody changed them meanwhile.
    #[error("the rules have version {actual}, not {expected}: read them again and decide anew")]
    VersionMismatch {
        /// What the caller had read.
        expected: i64,
        /// What is stored.
        actual: i64,
    },
}

impl ClientError for RulesError {
    fn code(&self) -> Code {
        match self {
            Self::TooMany(_) | Self::VersionMismatch { .. } => Code::Conflict,
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Name(name) => name.argument,
            Self::Range { argument, .. } | Self::List(argument) => argument,
            Self::UnknownRule { .. } => "lintLevels",
            Self::TooMany(_) => return None,
            Self::VersionMismatch { .. } => "expectedVersion",
        };
        Some(format!("input.{field}"))
    }
}
