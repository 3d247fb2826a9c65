//! What callers can get wrong about clients and their operations.

use pulse_graphql::{ClientError, Code, PageError};
use pulse_manifests::ManifestError;
use pulse_store::InvalidIdempotencyKey;
use pulse_types::ClientAppId;

use crate::target::InvalidName;

/// What is wrong with a request about clients.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClientAppError {
    /// There is none, or none that the caller may see.
    #[error("there is no client application {0}")]
    NotFound(ClientAppId),
    /// There is none of that name.
    #[error("there is no client application called {0:?}: make it with createClientApp")]
    Unknown(String),
    /// A name that cannot be used.
    #[error(
        "{0:?} is no name of a client application: 1 to 60 small letters, digits and hyphens, not beginning with a hyphen"
    )]
    Name(String),
    /// Somebody has it.
    #[error("there is a client application called {0} already")]
    Taken(String),
    /// The description.
    #[error("a description has at most 1,000 characters, this one has {0}")]
    Description(usize),
    /// The name of an environment.
    #[error(transparent)]
    Environment(#[from] InvalidName),
    /// More than there may be.
    #[error("an organization has at most {most} {what}")]
    TooMany {
        /// So many.
        most: i64,
        /// Of what.
        what: &'static str,
    },
    /// A tool that cannot be one.
    #[error("{0}")]
    Tool(String),
    /// The version of a client.
    #[error("a version has 1 to 100 characters, this one has {0}")]
    Version(usize),
    /// What was published under a version never changes.
    #[error("version {0:?} was published with other operations: publish these as another version")]
    Published(String),
    /// There is no such version.
    #[error("{client} has no version {version:?} that is published")]
    NoVersion {
        /// The client.
        client: String,
        /// The version.
        version: String,
    },
    /// There is no graph that they could be sent to.
    #[error("nothing is published to {environment}/{variant} that operations could be sent to")]
    NoGraph {
        /// The environment.
        environment: String,
        /// The variant.
        variant: String,
    },
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Operations that are not valid.
    #[error("{count} of the operations cannot be sent to this API; the first: {first}")]
    Invalid {
        /// How many.
        count: usize,
        /// What is wrong with the first one.
        first: String,
    },
    /// Somebody changed it meanwhile.
    #[error("the client has version {actual}, not {expected}: read it again and decide anew")]
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

impl ClientError for ClientAppError {
    fn code(&self) -> Code {
        match self {
            Self::NotFound(_) | Self::Unknown(_) | Self::NoVersion { .. } | Self::NoGraph { .. } => {
                Code::NotFound
            }
            Self::Taken(_) | Self::TooMany { .. } | Self::Published(_) | Self::VersionMismatch { .. } => {
                Code::Conflict
            }
            Self::Page(error) => error.code(),
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::NotFound(_) => "id",
            Self::Unknown(_) => "client",
            Self::Name(_) | Self::Taken(_) => "name",
            Self::Description(_) => "description",
            Self::Environment(name) => name.argument,
            Self::NoGraph { .. } => "environment",
            Self::Tool(_) => "tools",
            Self::Version(_) | Self::Published(_) | Self::NoVersion { .. } => "version",
            Self::Manifest(_) | Self::Invalid { .. } => "manifest",
            Self::VersionMismatch { .. } => "expectedVersion",
            Self::IdempotencyKey(_) => "idempotencyKey",
            Self::TooMany { .. } => return None,
            Self::Page(error) => return error.field(),
        };
        Some(format!("input.{field}"))
    }
}
