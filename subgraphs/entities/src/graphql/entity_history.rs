//! What an entity is and was.

use async_graphql::SimpleObject;
use async_graphql::connection::EmptyFields;
use chrono::{DateTime, Utc};
use pulse_graphql::{
    CacheControlScope, Connection, Cursor, Error, JsonObject, Page, PageLimits, cache_control,
};
use pulse_store::StoreError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::entity::never;
use super::loaders::Loaders;
use crate::entity::EntityRow;
use crate::error::GraphError;
use crate::history::{HistoryRow, VersionsPage};

/// An entity as it is, or was for a while.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct EntityState {
    /// Which version it is.
    version: i64,
    /// From when on it was so.
    since: DateTime<Utc>,
    /// When it was replaced; null for what it is now.
    until: Option<DateTime<Utc>>,
    /// The name of its type.
    #[graphql(name = "type")]
    type_name: String,
    /// What people call it.
    name: String,
    /// What it is.
    description: Option<String>,
    /// How sure it is that this is so, 0 to 1.
    confidence: f64,
    /// What is known about it.
    properties: JsonObject,
}

/// What history keeps of an entity.
#[derive(Deserialize)]
struct Kept {
    #[serde(rename = "type")]
    type_name: String,
    name: String,
    description: Option<String>,
    confidence: f64,
    properties: Map<String, Value>,
    updated_at: DateTime<Utc>,
}

impl EntityState {
    fn now(row: &EntityRow) -> Self {
        let details = row.details.clone();
        let (properties, description) =
            details.map(|details| (details.properties, details.description)).unwrap_or_default();
        Self {
            version: row.version,
            since: row.updated_at,
            until: None,
            type_name: row.type_name.clone(),
            name: row.name.clone(),
            description,
            confidence: row.confidence,
            properties: JsonObject(properties),
        }
    }

    fn was(row: &HistoryRow) -> Result<Self, StoreError> {
        let Kept { type_name, name, description, confidence, properties, updated_at } = row.read()?;
        Ok(Self {
            version: row.version,
            since: updated_at,
            until: Some(row.at),
            type_name,
            name,
            description,
            confidence,
            properties: JsonObject(properties),
        })
    }
}

/// The states of an entity, the latest first; those alone that were there at a time, if one is given.
pub(super) async fn states(
    loaders: &Loaders,
    now: &EntityRow,
    at: Option<DateTime<Utc>>,
    (first, after): (Option<i32>, Option<String>),
) -> Result<Connection<EntityState, EmptyFields>, Error<GraphError>> {
    let page = Page::try_new((first, after), (None, None), PageLimits::USUAL).map_err(GraphError::from)?;
    let after = page.from.as_ref().map(Cursor::values::<(i64,)>).transpose().map_err(GraphError::from)?;
    let before = after.map(|(version,)| version);
    let mut states = Vec::new();
    // The rows that it was end where what it is begins, whatever has happened since it was read.
    if before.is_none() && at.is_none_or(|at| now.updated_at <= at) {
        states.push(EntityState::now(now));
    }
    let asked = VersionsPage { at, before: Some(before.unwrap_or(now.version)), limit: page.limit() };
    for row in loaders.versions(now.id, asked).await.map_err(never)?.iter() {
        states.push(EntityState::was(row)?);
    }
    states.truncate(usize::try_from(page.limit()).unwrap_or(usize::MAX));
    Ok(page.connection(states, EmptyFields, |state| (Cursor::new(&(state.version,)), state)))
}
