//! Rows of `entities.types`.

use chrono::{DateTime, Utc};
use pulse_types::EntityTypeId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::types::Json;

/// An entity type as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize, sqlx::FromRow)]
pub(crate) struct EntityTypeRow {
    pub(crate) id: EntityTypeId,
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) schema: Json<Map<String, Value>>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}
