//! What can go wrong before execution.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Why a supergraph cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The SDL does not parse.
    #[error("the supergraph is not valid SDL: {0}")]
    Syntax(String),
    /// The planner cannot work with it.
    #[error("the planner refuses the supergraph: {0}")]
    Planner(String),
    /// It is of a form that this gateway does not read.
    #[error("the supergraph cannot be served: {what}; {instead}")]
    Unsupported {
        /// What it has.
        what: String,
        /// What to do about it.
        instead: String,
    },
    /// It says of costs what cannot be.
    #[error("the supergraph's costs cannot be used: {at}: {what}")]
    Cost {
        /// The type, field or argument.
        at: String,
        /// What is wrong there.
        what: String,
    },
    /// Nobody serves a subgraph that it names.
    #[error("the supergraph needs the subgraph `{needed}`, but {served}: add it, or compose without it")]
    MissingSubgraph {
        /// The subgraph that the supergraph names.
        needed: String,
        /// What is there, in words.
        served: String,
    },
}

/// The error codes of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Nobody is signed in.
    Unauthenticated,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// The request is wrong.
    BadUserInput,
    /// It clashes with what is there.
    Conflict,
    /// Too many requests.
    RateLimited,
    /// The operation costs more than allowed.
    CostExceeded,
    /// It took too long.
    Timeout,
    /// Something that is needed cannot be reached.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl ErrorCode {
    /// The code as clients see it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::Conflict => "CONFLICT",
            Self::RateLimited => "RATE_LIMITED",
            Self::CostExceeded => "COST_EXCEEDED",
            Self::Timeout => "TIMEOUT",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// A place in a document, counted from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Location {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// Why a request was not executed. Serializes to a GraphQL error.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct RequestError {
    /// What is wrong, for the client's eyes.
    pub message: String,
    /// Where in the document.
    pub locations: Vec<Location>,
    /// The code.
    pub code: ErrorCode,
    /// What went wrong more precisely, such as `GRAPHQL_PARSE_FAILED`.
    pub reason: Option<&'static str>,
    /// More for `extensions`.
    pub extensions: Vec<(&'static str, serde_json::Value)>,
}

impl RequestError {
    /// An error with a code and a text.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { message: message.into(), locations: Vec::new(), code, reason: None, extensions: Vec::new() }
    }

    /// The same with a finer reason.
    #[must_use]
    pub const fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// The same with a place in the document.
    #[must_use]
    pub fn at(mut self, line: usize, column: usize) -> Self {
        self.locations.push(Location { line, column });
        self
    }
}

impl Serialize for RequestError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut error = serializer.serialize_map(None)?;
        error.serialize_entry("message", &self.message)?;
        if !self.locations.is_empty() {
            error.serialize_entry("locations", &self.locations)?;
        }
        let mut extensions = serde_json::Map::new();
        extensions.insert("code".into(), self.code.as_str().into());
        if let Some(reason) = self.reason {
            extensions.insert("reason".into(), reason.into());
        }
        extensions.extend(self.extensions.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        error.serialize_entry("extensions", &extensions)?;
        error.end()
    }
}
