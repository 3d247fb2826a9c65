//! A collection as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::CollectionId;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

/// How nearness is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, async_graphql::Enum)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum Metric {
    /// By the angle between vectors, whatever their lengths.
    Cosine,
    /// By the inner product: for vectors of equal length the same order as COSINE, and cheaper.
    Dot,
    /// By the straight-line distance.
    Euclidean,
}

impl Metric {
    /// pgvector's operator of this distance.
    pub(crate) const fn operator(self) -> &'static str {
        match self {
            Self::Cosine => "<=>",
            Self::Dot => "<#>",
            Self::Euclidean => "<->",
        }
    }

    /// How near a distance is: higher is nearer.
    pub(crate) fn score(self, distance: f64) -> f64 {
        match self {
            Self::Cosine => 1.0 - distance,
            Self::Dot => -distance,
            Self::Euclidean => 1.0 / (1.0 + distance),
        }
    }
}

/// How a collection is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, async_graphql::Enum)]
#[serde(rename_all = "UPPERCASE")]
#[sqlx(type_name = "text", rename_all = "UPPERCASE")]
pub(crate) enum IndexStatus {
    /// All items are compared: exact.
    Exact,
    /// Still exact; the index is being built.
    Building,
    /// By the HNSW index: approximate.
    Hnsw,
}

/// A row of `vectors.collections`.
#[derive(Debug, Clone, Serialize, Deserialize, FromRow)]
pub(crate) struct CollectionRow {
    pub(crate) id: CollectionId,
    pub(crate) name: String,
    pub(crate) dimension: i32,
    pub(crate) metric: Metric,
    pub(crate) m: i32,
    pub(crate) ef_construction: i32,
    pub(crate) ef_search: i32,
    pub(crate) exact_below: i32,
    pub(crate) index_status: IndexStatus,
    pub(crate) item_count: i64,
    pub(crate) revision: i64,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl CollectionRow {
    /// Whether a search goes by the index.
    pub(crate) fn is_indexed(&self) -> bool {
        self.index_status == IndexStatus::Hnsw && self.has_outgrown_exact()
    }

    /// Whether it has more items than are compared one by one.
    pub(crate) fn has_outgrown_exact(&self) -> bool {
        self.item_count > i64::from(self.exact_below)
    }
}
