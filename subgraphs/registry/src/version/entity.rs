//! A published schema as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::{CompositionId, SchemaVersionId, UserId};
use sqlx::FromRow;

/// What became of a schema that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, async_graphql::Enum)]
#[graphql(name = "SchemaVersionState")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum VersionState {
    /// It composes with the others, and was served from then on.
    Published,
    /// It does not compose with the others, and was never served.
    Failed,
}

impl VersionState {
    /// The word that is stored and told in events.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "PUBLISHED",
            Self::Failed => "FAILED",
        }
    }
}

/// A row of `registry.schema_versions`, without the schema itself.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct VersionRow {
    pub(crate) id: SchemaVersionId,
    pub(crate) environment: String,
    pub(crate) variant: String,
    pub(crate) subgraph: String,
    pub(crate) number: i64,
    pub(crate) state: VersionState,
    pub(crate) url: Option<String>,
    pub(crate) sdl_hash: String,
    pub(crate) revision: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) actor: Option<UserId>,
    pub(crate) created_at: DateTime<Utc>,
}

/// What a composition has of a subgraph.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PartRow {
    pub(crate) composition_id: CompositionId,
    #[sqlx(flatten)]
    pub(crate) version: VersionRow,
}

/// What is composed of a subgraph.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PartSdl {
    pub(crate) id: SchemaVersionId,
    /// The variant that it was published to: that of the composition, or its base.
    pub(crate) variant: String,
    pub(crate) subgraph: String,
    pub(crate) url: Option<String>,
    pub(crate) sdl: String,
    pub(crate) sdl_hash: String,
}
