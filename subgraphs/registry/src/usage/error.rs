//! What callers can get wrong about usage.

use pulse_graphql::{ClientError, Code};

use crate::target::InvalidName;

/// What is wrong with a report of usage, or a question about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    /// A name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Too much at once, or nothing.
    #[error("a report has 1 to {most} {what}, this one has {given}: send several")]
    Size {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        given: usize,
        /// The limit.
        most: usize,
    },
    /// No signature.
    #[error("a signature is a SHA-256 in hexadecimal: 64 small letters and digits")]
    Signature(usize),
    /// A text that is too long.
    #[error("it has at most {max} characters")]
    TextLength {
        /// The place of the operation.
        place: usize,
        /// Which field of it.
        argument: &'static str,
        /// The limit.
        max: usize,
    },
    /// A number that cannot be.
    #[error("requests are 1 to 1,000,000,000, and no fewer than errors")]
    Count(usize),
    /// A day that is too long ago, or not yet there.
    #[error("it was within the last {0} days")]
    Day(i64, usize),
    /// The time that is asked about.
    #[error("days are 1 to 365")]
    Days,
}

impl ClientError for UsageError {
    fn code(&self) -> Code {
        Code::BadUserInput
    }

    fn field(&self) -> Option<String> {
        let of = |place: &usize, field: &str| format!("input.operations[{place}].{field}");
        Some(match self {
            Self::Name(name) => format!("input.{}", name.argument),
            Self::Size { .. } => "input.operations".to_owned(),
            Self::Signature(place) => of(place, "signature"),
            Self::TextLength { place, argument, .. } => of(place, argument),
            Self::Count(place) => of(place, "requests"),
            Self::Day(_, place) => of(place, "at"),
            Self::Days => "filter.days".to_owned(),
        })
    }
}
