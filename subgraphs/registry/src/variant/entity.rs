//! A variant as it is stored.

use chrono::{DateTime, Utc};
use pulse_types::{CompositionId, SchemaVariantId};
use sqlx::FromRow;

/// A row of `registry.variants`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct VariantRow {
    pub(crate) id: SchemaVariantId,
    pub(crate) environment: String,
    pub(crate) name: String,
    pub(crate) base: Option<String>,
    /// The composition that gateways serve.
    pub(crate) current: Option<CompositionId>,
    /// That of the latest composition, good or not.
    pub(crate) number: i64,
    /// Counts the changes of what gateways serve.
    pub(crate) revision: i64,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}
