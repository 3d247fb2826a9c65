//! What is used, as it is reported and as it is stored.

use chrono::NaiveDate;
use pulse_types::SchemaOperationId;
use sqlx::FromRow;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[graphql(name = "SchemaOperationKind")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum OperationKind {
    /// It reads.
    Query,
    /// It changes something.
    Mutation,
    /// It follows something.
    Subscription,
}

impl OperationKind {
    /// The word that is stored.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "QUERY",
            Self::Mutation => "MUTATION",
            Self::Subscription => "SUBSCRIPTION",
        }
    }
}

/// How often a client sent an operation, and what that uses.
#[derive(Debug, Clone)]
pub(crate) struct Reported {
    pub(crate) signature: String,
    pub(crate) name: String,
    pub(crate) kind: OperationKind,
    pub(crate) client_name: String,
    pub(crate) client_version: String,
    pub(crate) day: NaiveDate,
    pub(crate) requests: i64,
    pub(crate) errors: i64,
    pub(crate) coordinates: Vec<String>,
}

/// How often a client sent an operation within a time.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct UseRow {
    pub(crate) operation_id: SchemaOperationId,
    pub(crate) signature: String,
    pub(crate) name: String,
    pub(crate) client_name: String,
    pub(crate) client_version: String,
    pub(crate) requests: i64,
    /// None where a manifest alone has it.
    pub(crate) last_seen_on: Option<NaiveDate>,
    /// Whether it is in a manifest of the client: it counts, however often it is sent.
    pub(crate) is_declared: bool,
}
