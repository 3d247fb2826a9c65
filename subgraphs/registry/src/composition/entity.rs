//! A composition as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::{CompositionId, UserId};
use sqlx::FromRow;
use sqlx::types::Json;

use crate::composer::{Change, Finding};

/// Whether there is a supergraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[graphql(name = "CompositionState")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum CompositionState {
    /// There is one.
    Composed,
    /// The schemas do not compose.
    Failed,
}

impl CompositionState {
    /// The word that is stored and told in events.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Composed => "COMPOSED",
            Self::Failed => "FAILED",
        }
    }
}

/// Why a supergraph was composed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[graphql(name = "CompositionCause")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum CompositionCause {
    /// A subgraph's schema was published.
    Publish,
    /// A subgraph was removed.
    Remove,
    /// Somebody went back to a former one.
    Rollback,
}

impl CompositionCause {
    /// The word that is stored and told in events.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Publish => "PUBLISH",
            Self::Remove => "REMOVE",
            Self::Rollback => "ROLLBACK",
        }
    }
}

/// A row of `registry.compositions`, without what is large.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct CompositionRow {
    pub(crate) id: CompositionId,
    pub(crate) environment: String,
    pub(crate) variant: String,
    pub(crate) number: i64,
    pub(crate) state: CompositionState,
    pub(crate) cause: CompositionCause,
    pub(crate) subgraph: Option<String>,
    pub(crate) restored: Option<CompositionId>,
    pub(crate) supergraph_hash: Option<String>,
    pub(crate) breaking: i32,
    pub(crate) dangerous: i32,
    pub(crate) safe: i32,
    pub(crate) actor: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
}

/// What is said of a composition.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct CompositionReport {
    pub(crate) id: CompositionId,
    pub(crate) diagnostics: Json<Vec<Finding>>,
    pub(crate) changes: Json<Vec<Change>>,
}
