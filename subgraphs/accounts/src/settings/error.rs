//! What can be wrong with settings.

use pulse_graphql::{ClientError, Code};

use super::color::InvalidColor;
use super::logo::MAX_LOGO;
use crate::name::InvalidName;
use crate::throttle::TooOften;

/// Why settings cannot be seen or changed as asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SettingsError {
    /// No such unit.
    #[error("your organization has no such sub-organization or team")]
    NoSuchUnit,
    /// Somebody was faster.
    #[error("these settings have version {0} by now: read them again, and change what you still want to")]
    Outdated(i64),
    /// Not a language tag.
    #[error(
        "this is not a locale: expected a language, with a script or a region, such as en, de-AT or zh-Hant-TW"
    )]
    Locale,
    /// Not a time zone.
    #[error("this is not a time zone of the IANA database: expected something like Europe/Vienna")]
    TimeZone,
    /// Not a domain.
    #[error("{0:?} is not a domain: expected something like example.com")]
    Domain(String),
    /// None, or too many.
    #[error("name 1 to 50 domains, these are {0}; null allows all")]
    Domains(usize),
    /// Who is invited becomes a member of the whole tenant.
    #[error("which addresses are invited is set for the whole organization: leave `unitId` out")]
    DomainsOfUnit,
    /// Not a name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// Not an address of a picture.
    #[error("the address of a logo begins with https:// and has at most 2,000 characters")]
    LogoUrl,
    /// Not a picture of a known kind.
    #[error("a logo is a PNG, a JPEG or a WebP picture, in Base64")]
    Logo,
    /// Too large.
    #[error("a logo has at most {MAX_LOGO} bytes, this one has {0}")]
    LogoSize(usize),
    /// Not a colour.
    #[error(transparent)]
    Color(#[from] InvalidColor),
    /// Whoever asks has to wait.
    #[error(transparent)]
    TooOften(#[from] TooOften),
}

impl ClientError for SettingsError {
    fn code(&self) -> Code {
        match self {
            Self::NoSuchUnit => Code::NotFound,
            Self::Outdated(_) => Code::Conflict,
            Self::TooOften(_) => Code::RateLimited,
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NoSuchUnit => "unitId",
            Self::Outdated(_) => "input.version",
            Self::Locale => "input.defaultLocale",
            Self::TimeZone => "input.timeZone",
            Self::Domain(_) | Self::Domains(_) | Self::DomainsOfUnit => "input.allowedEmailDomains",
            Self::Name(_) => "input.displayName",
            Self::LogoUrl => "input.logoUrl",
            Self::Logo | Self::LogoSize(_) => "input.data",
            Self::Color(_) | Self::TooOften(_) => return None,
        };
        Some(field.to_owned())
    }
}
