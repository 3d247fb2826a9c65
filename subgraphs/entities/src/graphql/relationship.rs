//! `type Relationship`

use std::sync::Arc;

use async_graphql::parser::types::Field;
use async_graphql::{Context, InputType, Object, ScalarType, Value};
use chrono::{DateTime, Utc};
use pulse_graphql::{CacheControlScope, ContextExt, Error, JsonObject, PlainFields, cache_control, plain};
use pulse_store::StoreError;
use pulse_types::{EntityId, RelationshipId};

use super::entity::{Entity, whole};
use super::loaders::Loaders;
use crate::relationship::RelationshipRow;
use crate::relationship::row::{KnownRelationship, RelatedRow, RelationshipEnds};

/// What connects two entities.
#[derive(Clone)]
pub(crate) struct Relationship {
    known: KnownRelationship,
    /// Its ends, where they were read with it.
    source: Option<Entity>,
    target: Option<Entity>,
}

impl Relationship {
    pub(super) fn new(row: impl Into<Arc<RelationshipRow>>) -> Self {
        Self { known: KnownRelationship::Row(row.into()), source: None, target: None }
    }

    /// A relationship of which no more than its ends was read.
    pub(super) fn known(ends: RelationshipEnds) -> Self {
        Self { known: KnownRelationship::Ends(Arc::new(ends)), source: None, target: None }
    }

    /// The relationship of `entity` that was read with its other end.
    pub(super) fn of(entity: &Entity, related: &RelatedRow) -> Self {
        let (own, other) = (Some(entity.clone()), Some(Entity(related.other.clone())));
        let (source, target) = if related.outgoing() { (own, other) } else { (other, own) };
        Self { known: related.relationship.clone(), source, target }
    }

    /// What lists of an entity's relationships leave out, loaded for all of them together.
    async fn row(&self, ctx: &Context<'_>) -> Result<Arc<RelationshipRow>, Error> {
        if let Some(row) = self.known.row() {
            return Ok(Arc::clone(row));
        }
        let id = self.known.id();
        let row = ctx.part::<Loaders>().relationship(id).await?;
        let lost = || StoreError::Inconsistent {
            table: "entities.relationships",
            column: "id",
            row: id.to_string(),
            problem: "it was read in the same snapshot, and it is not there".to_owned(),
        };
        Ok(row.ok_or_else(lost)?)
    }
}

/// What connects two entities: at most one of a type from one to the other.
#[Object(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
impl Relationship {
    /// Its id.
    pub(super) async fn id(&self) -> RelationshipId {
        self.known.id()
    }

    /// What kind of connection it is.
    async fn r#type(&self) -> &str {
        self.known.type_name()
    }

    /// The entity that it goes out from.
    async fn source(&self, ctx: &Context<'_>) -> Result<Entity, Error> {
        end(ctx, self.source.as_ref(), self.known.source_id()).await
    }

    /// The entity that it comes in to.
    async fn target(&self, ctx: &Context<'_>) -> Result<Entity, Error> {
        end(ctx, self.target.as_ref(), self.known.target_id()).await
    }

    /// How sure it is that this is so, 0 to 1.
    async fn confidence(&self, ctx: &Context<'_>) -> Result<f64, Error> {
        Ok(self.row(ctx).await?.confidence)
    }

    /// What else is known about it.
    async fn properties(&self, ctx: &Context<'_>) -> Result<JsonObject, Error> {
        if let Some(properties) = self.known.row().and_then(|row| row.properties.as_ref()) {
            return Ok(JsonObject(properties.clone()));
        }
        let row = ctx.part::<Loaders>().relationship(self.known.id()).await?;
        Ok(JsonObject(row.and_then(|row| row.properties.clone()).unwrap_or_default()))
    }

    /// 1, and one more with each change.
    async fn version(&self, ctx: &Context<'_>) -> Result<i64, Error> {
        Ok(self.row(ctx).await?.version)
    }

    /// When it was created.
    async fn created_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>, Error> {
        Ok(self.row(ctx).await?.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self, ctx: &Context<'_>) -> Result<DateTime<Utc>, Error> {
        Ok(self.row(ctx).await?.updated_at)
    }
}

impl PlainFields for Relationship {
    fn plain_field(&self, field: &Field) -> Option<Value> {
        let known = &self.known;
        let end = |read: &Option<Entity>| plain(read.as_ref()?, &field.selection_set.node);
        Some(match field.name.node.as_str() {
            "id" => InputType::to_value(&known.id()),
            "type" => Value::String(known.type_name().to_owned()),
            "source" => end(&self.source)?,
            "target" => end(&self.target)?,
            "confidence" => ScalarType::to_value(&known.row()?.confidence),
            "version" => ScalarType::to_value(&known.row()?.version),
            "createdAt" => ScalarType::to_value(&known.row()?.created_at),
            "updatedAt" => ScalarType::to_value(&known.row()?.updated_at),
            _ => return None,
        })
    }
}

async fn end(ctx: &Context<'_>, read: Option<&Entity>, id: EntityId) -> Result<Entity, Error> {
    match read {
        Some(entity) => Ok(entity.clone()),
        None => Ok(Entity::new(whole(ctx, id).await?)),
    }
}
