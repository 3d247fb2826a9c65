//! Items as they are stored, and vectors as they are given.

use chrono::{DateTime, Utc};
use pulse_graphql::JsonObject;
use pulse_types::{CollectionId, EntityId, ItemId};
use serde::Serialize;
use sqlx::FromRow;
use sqlx::types::Json;

use crate::collection::{CollectionRow, Metric};

/// A row of `vectors.items` without its vector, which is read only when it is asked for.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct ItemRow {
    pub(crate) id: ItemId,
    pub(crate) collection_id: CollectionId,
    pub(crate) key: String,
    pub(crate) metadata: Json<JsonObject>,
    pub(crate) entity_id: Option<EntityId>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A found item.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct HitRow {
    #[sqlx(flatten)]
    pub(crate) item: ItemRow,
    pub(crate) distance: f64,
}

/// An item to be put in.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewItem {
    pub(crate) key: String,
    pub(crate) vector: Vec<f32>,
    pub(crate) metadata: JsonObject,
    pub(crate) entity_id: Option<EntityId>,
}

/// What is wrong with a vector.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum VectorProblem {
    /// Not as long as the collection's vectors.
    #[error("the vector has {given} numbers, the collection has vectors of {expected}")]
    Dimension {
        /// How many there are.
        given: usize,
        /// How many there should be.
        expected: i32,
    },
    /// A number is NaN, infinite, or too large for 32 bits.
    #[error("number {0} of the vector is not a finite 32-bit number")]
    NotFinite(usize),
    /// Distances to it would overflow.
    #[error("the vector is too long: the sum of its squares does not fit into 32 bits")]
    TooLong,
    /// It has no direction.
    #[error("a vector of zeros, or so near to it, has no direction, so COSINE cannot compare it")]
    Zero,
}

/// The vector as pgvector reads it, if it fits into the collection.
pub(crate) fn to_text(vector: &[f32], collection: &CollectionRow) -> Result<String, VectorProblem> {
    let expected = collection.dimension;
    if usize::try_from(expected) != Ok(vector.len()) {
        return Err(VectorProblem::Dimension { given: vector.len(), expected });
    }
    if let Some(nth) = vector.iter().position(|number| !number.is_finite()) {
        return Err(VectorProblem::NotFinite(nth));
    }
    // pgvector adds up squares in 32 bits, and those of a difference are up to four times as large.
    let squares: f32 = vector.iter().map(|number| number * number).sum();
    if squares > f32::MAX / 4.0 {
        return Err(VectorProblem::TooLong);
    }
    if collection.metric == Metric::Cosine && squares < f32::MIN_POSITIVE {
        return Err(VectorProblem::Zero);
    }
    let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
    Ok(format!("[{}]", numbers.join(",")))
}
