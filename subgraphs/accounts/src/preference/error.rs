//! What can be wrong with preferences.

use pulse_graphql::{ClientError, Code};

use super::{MAX_BYTES, MAX_KINDS, MAX_NAMESPACES};

/// Why preferences cannot be read or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PreferencesError {
    /// Not a language tag.
    #[error(
        "this is not a locale: expected a language, with a script or a region, such as en, de-AT or zh-Hant-TW"
    )]
    Locale,
    /// Not a time zone.
    #[error("this is not a time zone of the IANA database: expected something like Europe/Vienna")]
    TimeZone,
    /// Not a name.
    #[error(
        "a namespace or kind has 1 to 64 characters: a-z, 0-9, dot, dash and underscore, with a letter first"
    )]
    Name(&'static str),
    /// Too many kinds.
    #[error("say of at most {MAX_KINDS} kinds how to be notified")]
    Kinds,
    /// Too many namespaces.
    #[error("a person has at most {MAX_NAMESPACES} namespaces: clear one first")]
    Namespaces,
    /// Too much.
    #[error("a namespace holds at most {MAX_BYTES} bytes of JSON, this would be {0}")]
    Size(usize),
    /// Too deep.
    #[error("the patch is nested too deeply: at most 32 levels")]
    Depth,
    /// Somebody was faster.
    #[error("these preferences have version {0} by now: read them again, and change what you still want to")]
    Outdated(i64),
}

impl ClientError for PreferencesError {
    fn code(&self) -> Code {
        match self {
            Self::Outdated(_) | Self::Namespaces => Code::Conflict,
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Locale => "input.locale",
            Self::TimeZone => "input.timeZone",
            Self::Name(field) => field,
            Self::Kinds => "input.notifications",
            Self::Namespaces => "input.namespace",
            Self::Size(_) | Self::Depth => "input.patch",
            Self::Outdated(_) => "input.version",
        };
        Some(field.to_owned())
    }
}
