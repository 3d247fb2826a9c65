//! Rows of `entities.entities`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use pulse_types::EntityId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};

/// The columns that [`EntityRow::at`] reads, without those that lists of many entities rarely need.
macro_rules! brief_columns {
    () => {
        "e.id, e.key, e.type, e.name, e.confidence, e.version, e.created_at, e.updated_at, NULL::jsonb, NULL::text"
    };
}

/// The columns that [`EntityRow::at`] reads.
macro_rules! all_columns {
    () => {
        "e.id, e.key, e.type, e.name, e.confidence, e.version, e.created_at, e.updated_at, e.properties, e.description"
    };
}

pub(crate) use {all_columns, brief_columns};

/// An entity as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EntityRow {
    pub(crate) id: EntityId,
    pub(crate) key: String,
    pub(crate) type_name: String,
    pub(crate) name: String,
    pub(crate) confidence: f64,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
    /// `None` when the statement left them out.
    pub(crate) details: Option<Details>,
}

/// What an entity is called: all that most lists of relationships tell of the entities at their ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct EntityName {
    pub(crate) id: EntityId,
    pub(crate) key: String,
    pub(crate) type_name: String,
    pub(crate) name: String,
}

/// An entity, as far as it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum KnownEntity {
    Named(Arc<EntityName>),
    Row(Arc<EntityRow>),
}

impl KnownEntity {
    pub(crate) fn id(&self) -> EntityId {
        match self {
            Self::Named(known) => known.id,
            Self::Row(row) => row.id,
        }
    }

    pub(crate) fn key(&self) -> &str {
        match self {
            Self::Named(known) => &known.key,
            Self::Row(row) => &row.key,
        }
    }

    pub(crate) fn type_name(&self) -> &str {
        match self {
            Self::Named(known) => &known.type_name,
            Self::Row(row) => &row.type_name,
        }
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Named(known) => &known.name,
            Self::Row(row) => &row.name,
        }
    }

    /// All of it but what is large, if that was read.
    pub(crate) const fn row(&self) -> Option<&Arc<EntityRow>> {
        match self {
            Self::Named(_) => None,
            Self::Row(row) => Some(row),
        }
    }
}

/// What is large about an entity.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Details {
    pub(crate) properties: Map<String, Value>,
    pub(crate) description: Option<String>,
}

impl EntityRow {
    /// The entity whose columns begin at `first`. By position: names would be looked up for each row.
    pub(crate) fn at(row: &PgRow, first: usize) -> Result<Self, sqlx::Error> {
        let details = match row.try_get::<Option<Json<Map<String, Value>>>, _>(first + 8)? {
            Some(Json(properties)) => Some(Details { properties, description: row.try_get(first + 9)? }),
            None => None,
        };
        Ok(Self {
            id: row.try_get(first)?,
            key: row.try_get(first + 1)?,
            type_name: row.try_get(first + 2)?,
            name: row.try_get(first + 3)?,
            confidence: row.try_get(first + 4)?,
            version: row.try_get(first + 5)?,
            created_at: row.try_get(first + 6)?,
            updated_at: row.try_get(first + 7)?,
            details,
        })
    }
}

impl FromRow<'_, PgRow> for EntityRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Self::at(row, 0)
    }
}
