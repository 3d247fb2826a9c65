//! `type Relationship`

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{Context, InputType, Object, ScalarType, Value};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error, JsonObject, PlainFields, plain};
use pulse_store::StoreError;
use pulse_types::{EntityId, RelationshipId};

use super::entity::Entity;
use super::loaders::Loaders;
use crate::relationship::RelationshipRow;
use crate::relationship::row::RelatedRow;

/// What connects two entities.
#[derive(Clone)]
pub(crate) struct Relationship {
    row: Arc<RelationshipRow>,
    /// Its ends, where they were read with it.
    source: Option<Entity>,
    target: Option<Entity>,
}

impl Relationship {
    pub(super) fn new(row: impl Into<Arc<RelationshipRow>>) -> Self {
        Self { row: row.into(), source: None, target: None }
    }

    /// The relationship of `entity` that was read with its other end.
    pub(super) fn of(entity: &Entity, related: &RelatedRow) -> Self {
        let (own, other) = (Some(entity.clone()), Some(Entity(Arc::clone(&related.other))));
        let (source, target) = if related.outgoing() { (own, other) } else { (other, own) };
        Self { row: Arc::clone(&related.relationship), source, target }
    }
}

/// What connects two entities: at most one of a type from one to the other.
#[Object]
impl Relationship {
    /// Its id.
    pub(super) async fn id(&self) -> RelationshipId {
        self.row.id
    }

    /// What kind of connection it is.
    async fn r#type(&self) -> &str {
        &self.row.type_name
    }

    /// The entity that it goes out from.
    async fn source(&self, ctx: &Context<'_>) -> Result<Entity, Error> {
        end(ctx, self.source.as_ref(), self.row.source_id).await
    }

    /// The entity that it comes in to.
    async fn target(&self, ctx: &Context<'_>) -> Result<Entity, Error> {
        end(ctx, self.target.as_ref(), self.row.target_id).await
    }

    /// How sure it is that this is so, 0 to 1.
    async fn confidence(&self) -> f64 {
        self.row.confidence
    }

    /// What else is known about it.
    async fn properties(&self, ctx: &Context<'_>) -> Result<JsonObject, Error> {
        if let Some(properties) = &self.row.properties {
            return Ok(JsonObject(properties.clone()));
        }
        let row = ctx.part::<Loaders>().relationship(self.row.id).await?;
        Ok(JsonObject(row.and_then(|row| row.properties.clone()).unwrap_or_default()))
    }

    /// 1, and one more with each change.
    async fn version(&self) -> i64 {
        self.row.version
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.row.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.row.updated_at
    }
}

impl PlainFields for Relationship {
    fn plain_field(&self, field: &Field) -> Option<Value> {
        let row = &self.row;
        let end = |read: &Option<Entity>| plain(read.as_ref()?, &field.selection_set.node);
        Some(match field.name.node.as_str() {
            "id" => InputType::to_value(&row.id),
            "type" => Value::String(row.type_name.clone()),
            "source" => end(&self.source)?,
            "target" => end(&self.target)?,
            "confidence" => ScalarType::to_value(&row.confidence),
            "version" => ScalarType::to_value(&row.version),
            "createdAt" => ScalarType::to_value(&row.created_at),
            "updatedAt" => ScalarType::to_value(&row.updated_at),
            _ => return None,
        })
    }
}

async fn end(ctx: &Context<'_>, read: Option<&Entity>, id: EntityId) -> Result<Entity, Error> {
    if let Some(entity) = read {
        return Ok(entity.clone());
    }
    let row = ctx.part::<Loaders>().entity(id).await?;
    let lost = || StoreError::Inconsistent {
        table: "entities.entities",
        column: "id",
        row: id.to_string(),
        problem: "a relationship of the same snapshot refers to it, and it is not there".to_owned(),
    };
    Ok(Entity(row.ok_or_else(lost)?))
}
