//! Events as they are stored and as they come.

use chrono::{DateTime, Utc};
use pulse_graphql::JsonObject;
use pulse_types::{EntityId, EventId, UserId};
use serde::Serialize;
use sqlx::FromRow;
use sqlx::types::Json;

/// A row of `analytics.events`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct EventRow {
    pub(crate) at: DateTime<Utc>,
    pub(crate) id: EventId,
    pub(crate) name: String,
    pub(crate) value: Option<f64>,
    pub(crate) entity_id: Option<EntityId>,
    pub(crate) actor_id: Option<UserId>,
    pub(crate) properties: Json<JsonObject>,
}

/// An event to be recorded.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewEvent {
    pub(crate) name: String,
    pub(crate) at: Option<DateTime<Utc>>,
    pub(crate) value: Option<f64>,
    pub(crate) entity_id: Option<EntityId>,
    pub(crate) actor_id: Option<UserId>,
    pub(crate) dedupe_key: Option<String>,
    pub(crate) properties: JsonObject,
}
