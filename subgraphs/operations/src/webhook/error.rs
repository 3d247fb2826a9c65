//! What callers can get wrong about webhooks.

use std::net::IpAddr;

use pulse_graphql::{ClientError, Code, PageError};
use pulse_store::InvalidIdempotencyKey;
use pulse_types::WebhookId;

/// What is wrong with a request about a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WebhookError {
    /// There is none, or none that the caller may see.
    #[error("there is no webhook {0}")]
    NotFound(WebhookId),
    /// The tenant has as many as it may.
    #[error("an organization has at most {0} webhooks: delete one that is not needed")]
    TooMany(u32),
    /// The description is too long.
    #[error("a description has at most 1000 characters, this one has {0}")]
    DescriptionLength(usize),
    /// The address is too long.
    #[error("an address has at most {max} bytes, this one has {given}")]
    UrlLength {
        /// How long it is.
        given: usize,
        /// The limit.
        max: usize,
    },
    /// Not an absolute address with a host.
    #[error("this is no address: give one such as https://example.org/pulse")]
    NoUrl,
    /// Neither https nor, where allowed, http.
    #[error("{0}:// cannot be used: give an address that begins with https://")]
    Scheme(String),
    /// A name or password in the address.
    #[error("an address must not carry a name or password: check the signature of each request instead")]
    UserInfo,
    /// A port that is not open.
    #[error("port {given} cannot be used: allowed are {}", allowed.iter().map(u16::to_string).collect::<Vec<_>>().join(", "))]
    Port {
        /// What was given.
        given: u16,
        /// What is allowed.
        allowed: Vec<u16>,
    },
    /// An address of a network that is not public.
    #[error("{0} is in a private or reserved network: give a public address")]
    PrivateAddress(IpAddr),
    /// A subject that no event has.
    #[error("{0:?} is no subject: give one such as entities.entity, or entities.* for all of a subgraph")]
    Subject(String),
    /// An attribute without a name, or too long.
    #[error("an attribute needs a name, and has at most 1000 bytes with its value")]
    FilterAttribute,
    /// An attribute twice.
    #[error("the attribute {0:?} is given twice: an event has one value of it")]
    AttributeTwice(String),
    /// Too much of it.
    #[error("a filter has at most {subjects} subjects and {attributes} attributes")]
    FilterSize {
        /// At most so many subjects.
        subjects: usize,
        /// At most so many attributes.
        attributes: usize,
    },
    /// The old secret would be good for too long, or for less than no time.
    #[error("the old secret can be good for 0 to {0} hours more")]
    Overlap(i64),
    /// Somebody changed it meanwhile.
    #[error("the webhook has version {actual}, not {expected}: read it again and decide anew")]
    VersionMismatch {
        /// What the caller had read.
        expected: i64,
        /// What is stored.
        actual: i64,
    },
    /// The idempotency key.
    #[error(transparent)]
    IdempotencyKey(#[from] InvalidIdempotencyKey),
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for WebhookError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) => Code::NotFound,
            Self::TooMany(_) | Self::VersionMismatch { .. } => Code::Conflict,
            Self::Page(error) => error.code(),
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_) => "input.id",
            Self::TooMany(_) => return None,
            Self::DescriptionLength(_) => "input.description",
            Self::UrlLength { .. }
            | Self::NoUrl
            | Self::Scheme(_)
            | Self::UserInfo
            | Self::Port { .. }
            | Self::PrivateAddress(_) => "input.url",
            Self::Subject(_) => "input.filter.subjects",
            Self::FilterAttribute | Self::AttributeTwice(_) => "input.filter.attributes",
            Self::FilterSize { .. } => "input.filter",
            Self::Overlap(_) => "input.overlapHours",
            Self::VersionMismatch { .. } => "input.expectedVersion",
            Self::IdempotencyKey(_) => "input.idempotencyKey",
            Self::Page(error) => return error.field(),
        };
        Some(field.to_owned())
    }
}
