//! Why a statement failed, in the terms of those who can do something about it.

use std::sync::Arc;

/// A failed statement. Never shown to a client as it is.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or has no connection free.
    #[error("the database is unavailable ({statement})")]
    Unavailable {
        /// The statement's name.
        statement: &'static str,
        /// The driver's error.
        #[source]
        source: Arc<sqlx::Error>,
    },
    /// A statement took longer than the limit.
    #[error("statement {statement} ran into its time limit")]
    TimedOut {
        /// The statement's name.
        statement: &'static str,
    },
    /// A row with this key exists already.
    #[error("statement {statement} violates the unique constraint {constraint}")]
    Duplicate {
        /// The statement's name.
        statement: &'static str,
        /// The constraint or unique index.
        constraint: String,
    },
    /// A row refers to one that does not exist, or is still referred to.
    #[error("statement {statement} violates the foreign key {constraint}")]
    Reference {
        /// The statement's name.
        statement: &'static str,
        /// The constraint.
        constraint: String,
    },
    /// A row belongs in a partition that nobody has made.
    #[error("statement {statement} writes rows of no partition")]
    NoPartition {
        /// The statement's name.
        statement: &'static str,
    },
    /// Another transaction was in the way (serialization failure or deadlock); the same write may succeed again.
    #[error("statement {statement} met another transaction")]
    Contention {
        /// The statement's name.
        statement: &'static str,
    },
    /// Stored data does not parse.
    #[error("stored data is inconsistent: {table}.{column} of {row}: {problem}")]
    Inconsistent {
        /// The table, with its schema.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An idempotency key came again with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// Anything else: a fault in Pulse.
    #[error("statement {statement} failed")]
    Failed {
        /// The statement's name.
        statement: &'static str,
        /// The driver's error.
        #[source]
        source: Arc<sqlx::Error>,
    },
}

impl StoreError {
    /// What went wrong with `statement`, by PostgreSQL's error codes (appendix A of its manual).
    pub(crate) fn classify(statement: &'static str, error: sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = &error else {
            return match error {
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::Tls(_) => Self::Unavailable { statement, source: Arc::new(error) },
                _ => Self::Failed { statement, source: Arc::new(error) },
            };
        };
        let constraint = || database.constraint().unwrap_or_default().to_owned();
        match database.code().as_deref() {
            Some("23505" | "23P01") => Self::Duplicate { statement, constraint: constraint() },
            Some("23503") => Self::Reference { statement, constraint: constraint() },
            // The code of a violated check too, which names its constraint.
            Some("23514") if database.constraint().is_none() => Self::NoPartition { statement },
            Some("40001" | "40P01" | "55P03") => Self::Contention { statement },
            Some("57014") => Self::TimedOut { statement },
            Some("57P01" | "57P02" | "57P03" | "57P04" | "53300" | "08006" | "08003" | "08000") => {
                Self::Unavailable { statement, source: Arc::new(error) }
            }
            // Of a login alone: the database takes no connections, or is not there.
            Some("55000" | "3D000") if statement == "begin" => {
                Self::Unavailable { statement, source: Arc::new(error) }
            }
            _ => Self::Failed { statement, source: Arc::new(error) },
        }
    }

    /// A short name of the variant, for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::TimedOut { .. } => "timed_out",
            Self::Duplicate { .. } => "duplicate",
            Self::Reference { .. } => "reference",
            Self::NoPartition { .. } => "no_partition",
            Self::Contention { .. } => "contention",
            Self::Inconsistent { .. } => "inconsistent",
            Self::KeyReused => "key_reused",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether this is a violation of the unique constraint or index of that name.
    pub fn is_duplicate_of(&self, name: &str) -> bool {
        matches!(self, Self::Duplicate { constraint, .. } if constraint == name)
    }
}
