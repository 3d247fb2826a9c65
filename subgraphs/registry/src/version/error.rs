//! What callers can get wrong about published schemas.

use pulse_graphql::{ClientError, Code, PageError};

use crate::target::InvalidName;

/// What is wrong with a request about published schemas.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VersionError {
    /// A name.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// A schema that is too large, or none.
    #[error("a schema has 1 to {max} bytes, this one has {given}")]
    SdlLength {
        /// How long it is.
        given: usize,
        /// The limit.
        max: usize,
    },
    /// An address that is too long, or none.
    #[error(
        "this is no address: give one such as http://accounts:4001/graphql, of at most 2000 bytes, without name and password"
    )]
    Url,
    /// What the publisher says is too long.
    #[error("it has at most {max} characters, this one has {given}")]
    TextLength {
        /// Which input field.
        argument: &'static str,
        /// How long it is.
        given: usize,
        /// The limit.
        max: usize,
    },
    /// The time that a variant is to live.
    #[error("a variant that goes by itself lives 1 to {0} hours")]
    Lifetime(i64),
    /// A variant that is its own base.
    #[error("a variant is not its own base: name the one that it stands on, such as current")]
    OwnBase,
    /// Something that is not there.
    #[error("there is no variant {variant} in {environment} with a supergraph")]
    NoVariant {
        /// The argument that names it.
        argument: &'static str,
        /// The environment.
        environment: String,
        /// The variant.
        variant: String,
    },
    /// A subgraph that is not there.
    #[error("{variant} in {environment} has no subgraph {subgraph} of its own")]
    NoSubgraph {
        /// The environment.
        environment: String,
        /// The variant.
        variant: String,
        /// The subgraph.
        subgraph: String,
    },
    /// A composition that cannot be gone back to.
    #[error(
        "{variant} in {environment} has no good composition {number}: see schemaCompositions for those that it has"
    )]
    NoComposition {
        /// The environment.
        environment: String,
        /// The variant.
        variant: String,
        /// The number.
        number: i64,
    },
    /// As many as there may be.
    #[error("at most {most} {what}: remove what is not needed")]
    TooMany {
        /// How many.
        most: i64,
        /// Of what.
        what: &'static str,
    },
    /// As many subgraphs as there may be.
    #[error("a variant has at most {0} subgraphs: remove what is not needed")]
    TooManySubgraphs(usize),
    /// Others publish at the same time.
    #[error("others publish to this variant at the same time: try again")]
    Busy,
    /// The page.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl ClientError for VersionError {
    fn code(&self) -> Code {
        match self {
            Self::NoVariant { .. } | Self::NoSubgraph { .. } | Self::NoComposition { .. } => Code::NotFound,
            Self::TooMany { .. } | Self::TooManySubgraphs(_) | Self::Busy => Code::Conflict,
            _ => Code::BadUserInput,
        }
    }

    fn field(&self) -> Option<String> {
        let field = match self {
            Self::Name(name) => name.argument,
            Self::SdlLength { .. } => "sdl",
            Self::Url => "url",
            Self::TextLength { argument, .. } | Self::NoVariant { argument, .. } => argument,
            Self::Lifetime(_) => "expiresInHours",
            Self::OwnBase => "base",
            Self::NoSubgraph { .. } => "subgraph",
            Self::NoComposition { .. } => "number",
            Self::TooMany { .. } | Self::TooManySubgraphs(_) | Self::Busy => return None,
            Self::Page(error) => return error.field(),
        };
        Some(format!("input.{field}"))
    }
}
