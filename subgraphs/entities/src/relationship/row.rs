//! Rows of `entities.relationships`.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use pulse_types::{EntityId, RelationshipId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{FromRow, Row};

use crate::entity::EntityRow;
use crate::entity::row::{EntityName, KnownEntity};

/// The columns that [`RelationshipRow::at`] reads.
macro_rules! relationship_columns {
    () => {
        "r.id, r.type, r.source_id, r.target_id, r.confidence, r.properties, r.version, r.created_at, r.updated_at"
    };
}

/// The same without what lists of many relationships rarely need.
macro_rules! brief_relationship_columns {
    () => {
        "r.id, r.type, r.source_id, r.target_id, r.confidence, NULL::jsonb, r.version, r.created_at, r.updated_at"
    };
}

/// The columns of a relationship and of the entity at its other end that [`NamedRow`] reads.
macro_rules! named_columns {
    () => {
        "r.id, r.type, r.source_id, r.target_id, e.key, e.type, e.name"
    };
}

pub(crate) use {brief_relationship_columns, named_columns, relationship_columns};

/// A relationship as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RelationshipRow {
    pub(crate) id: RelationshipId,
    pub(crate) type_name: String,
    pub(crate) source_id: EntityId,
    pub(crate) target_id: EntityId,
    pub(crate) confidence: f64,
    /// `None` when the statement left them out.
    pub(crate) properties: Option<Map<String, Value>>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

impl RelationshipRow {
    /// How many columns a relationship has in a row.
    pub(crate) const COLUMNS: usize = 9;

    /// The relationship whose columns begin at `first`.
    pub(crate) fn at(row: &PgRow, first: usize) -> Result<Self, sqlx::Error> {
        let properties: Option<Json<_>> = row.try_get(first + 5)?;
        Ok(Self {
            id: row.try_get(first)?,
            type_name: row.try_get(first + 1)?,
            source_id: row.try_get(first + 2)?,
            target_id: row.try_get(first + 3)?,
            confidence: row.try_get(first + 4)?,
            properties: properties.map(|Json(properties)| properties),
            version: row.try_get(first + 6)?,
            created_at: row.try_get(first + 7)?,
            updated_at: row.try_get(first + 8)?,
        })
    }
}

impl FromRow<'_, PgRow> for RelationshipRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        Self::at(row, 0)
    }
}

/// What connects which two entities: all that most lists of an entity's relationships tell of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RelationshipEnds {
    pub(crate) id: RelationshipId,
    pub(crate) type_name: String,
    pub(crate) source_id: EntityId,
    pub(crate) target_id: EntityId,
}

/// A relationship, as far as it was read.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum KnownRelationship {
    Ends(Arc<RelationshipEnds>),
    Row(Arc<RelationshipRow>),
}

impl KnownRelationship {
    pub(crate) fn id(&self) -> RelationshipId {
        match self {
            Self::Ends(known) => known.id,
            Self::Row(row) => row.id,
        }
    }

    pub(crate) fn type_name(&self) -> &str {
        match self {
            Self::Ends(known) => &known.type_name,
            Self::Row(row) => &row.type_name,
        }
    }

    pub(crate) fn source_id(&self) -> EntityId {
        match self {
            Self::Ends(known) => known.source_id,
            Self::Row(row) => row.source_id,
        }
    }

    pub(crate) fn target_id(&self) -> EntityId {
        match self {
            Self::Ends(known) => known.target_id,
            Self::Row(row) => row.target_id,
        }
    }

    /// All of it, perhaps without its properties, if that was read.
    pub(crate) const fn row(&self) -> Option<&Arc<RelationshipRow>> {
        match self {
            Self::Ends(_) => None,
            Self::Row(row) => Some(row),
        }
    }
}

/// A relationship of one of several entities, with the entity at its other end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RelatedRow {
    /// The entity whose relationship it is.
    pub(crate) of: EntityId,
    pub(crate) relationship: KnownRelationship,
    pub(crate) other: KnownEntity,
}

impl FromRow<'_, PgRow> for RelatedRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let other = EntityRow::at(row, 1 + RelationshipRow::COLUMNS)?;
        Ok(Self {
            of: row.try_get(0)?,
            relationship: KnownRelationship::Row(Arc::new(RelationshipRow::at(row, 1)?)),
            other: KnownEntity::Row(Arc::new(other)),
        })
    }
}

/// The same by [`named_columns`].
pub(crate) struct NamedRow(pub(crate) RelatedRow);

impl FromRow<'_, PgRow> for NamedRow {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let of = row.try_get(0)?;
        let ends = RelationshipEnds {
            id: row.try_get(1)?,
            type_name: row.try_get(2)?,
            source_id: row.try_get(3)?,
            target_id: row.try_get(4)?,
        };
        let other = EntityName {
            id: if ends.source_id == of { ends.target_id } else { ends.source_id },
            key: row.try_get(5)?,
            type_name: row.try_get(6)?,
            name: row.try_get(7)?,
        };
        let relationship = KnownRelationship::Ends(Arc::new(ends));
        Ok(Self(RelatedRow { of, relationship, other: KnownEntity::Named(Arc::new(other)) }))
    }
}

impl RelatedRow {
    /// Whether it goes out from the entity whose relationship it is.
    pub(crate) fn outgoing(&self) -> bool {
        self.relationship.source_id() == self.of
    }

    /// Where it stands among that entity's relationships.
    pub(crate) fn position(&self) -> (&str, EntityId, bool) {
        (self.relationship.type_name(), self.other.id(), !self.outgoing())
    }
}
