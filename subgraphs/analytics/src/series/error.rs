//! What callers can get wrong about time series.

use pulse_graphql::{ClientError, Code};

use super::{MAX_BUCKETS, MAX_NAMES};

/// What is wrong with a request for a time series.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SeriesError {
    /// No such time zone.
    #[error("{0:?} is not a time zone: give an IANA name such as Europe/Berlin or UTC")]
    TimeZone(String),
    /// It ends before it begins.
    #[error("`to` must be later than `from`")]
    Range,
    /// Too many points.
    #[error("about {0} points: allowed are {MAX_BUCKETS}; choose a longer interval or a shorter range")]
    Buckets(i64),
    /// Too many names, or none.
    #[error("{0} names: allowed is 1 to {MAX_NAMES}")]
    Names(usize),
    /// Grouping by a property that is not named, or naming one without grouping by it.
    #[error("`property` belongs to grouping by PROPERTY, and has 1 to 200 characters")]
    Property,
    /// Neither days nor a range, or both.
    #[error("give either `days`, or `from` and `to`")]
    DaysOrRange,
    /// Not a number of days.
    #[error("`days` is {0}, allowed is 1 to 1000")]
    Days(i32),
}

impl ClientError for SeriesError {
    fn code(&self) -> Code {
        Code::BadUserInput
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::TimeZone(_) => "timeZone",
            Self::Range => "to",
            Self::Buckets(_) => "interval",
            Self::Names(_) => "names",
            Self::Property => "groupBy.property",
            Self::DaysOrRange | Self::Days(_) => "days",
        };
        Some(field.to_owned())
    }
}
