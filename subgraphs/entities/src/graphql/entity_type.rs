//! `type EntityType`, its queries and mutations.

use std::sync::Arc;

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{
    CacheControlScope, Connection, ContextExt, Cursor, Error, JsonObject, Page, PageLimits, Total,
    cache_control,
};
use pulse_types::{EntityTypeId, Permission};

use super::idempotency_key;
use super::loaders::Loaders;
use crate::entity_type::{self, BrokenEntities, EntityTypePatch, EntityTypeRow, NewEntityType};
use crate::error::GraphError;

/// A type of entities.
pub(crate) struct EntityType(pub(super) Arc<EntityTypeRow>);

/// A type of entities.
#[Object(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
impl EntityType {
    /// Its id.
    async fn id(&self) -> EntityTypeId {
        self.0.id
    }

    /// The name by which entities refer to it: unique in the organization, and the same for ever.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What entities of this type are.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The JSON Schema (2020-12) that properties of its entities fit when they are written; `{}` allows any.
    async fn properties_schema(&self) -> JsonObject {
        JsonObject(self.0.schema.0.clone())
    }

    /// 1, and one more with each change.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// A new type of entities.
#[derive(Debug, InputObject)]
pub(crate) struct CreateEntityTypeInput {
    /// Its name: a letter and up to 63 more letters, digits, `_`, `-` or `.`; never to change.
    name: String,
    /// What entities of this type are: at most 10,000 characters.
    description: Option<String>,
    /// The JSON Schema (2020-12) of their properties; any properties unless given. It may refer to its own parts by
    /// `#/…`, but to nothing outside, and not to itself in a circle.
    properties_schema: Option<JsonObject>,
    /// Makes it safe to send the same request again: it is done once, and answered the same.
    idempotency_key: Option<String>,
}

/// What to change of a type; what is left out stays.
#[derive(Debug, InputObject)]
pub(crate) struct UpdateEntityTypeInput {
    /// Which type, by its name.
    name: String,
    /// Another description; null removes it.
    description: MaybeUndefined<String>,
    /// Another JSON Schema.
    properties_schema: Option<JsonObject>,
    /// What to do when entities that are there do not fit the new schema.
    #[graphql(default_with = "BrokenEntities::Refuse")]
    broken_entities: BrokenEntities,
    /// The version that the change was made from: when it is another by now, nothing is changed.
    expected_version: Option<i64>,
}

/// Which type to delete.
#[derive(Debug, InputObject)]
pub(crate) struct DeleteEntityTypeInput {
    /// Which type, by its name. It may have no entities.
    name: String,
    /// The version that was last seen: when it is another by now, nothing is deleted.
    expected_version: Option<i64>,
}

/// The answer of `createEntityType`.
#[derive(SimpleObject)]
pub(crate) struct CreateEntityTypePayload {
    /// The new type.
    entity_type: EntityType,
}

/// The answer of `updateEntityType`.
#[derive(SimpleObject)]
pub(crate) struct UpdateEntityTypePayload {
    /// The type as it is now.
    entity_type: EntityType,
}

/// The answer of `deleteEntityType`.
#[derive(SimpleObject)]
pub(crate) struct DeleteEntityTypePayload {
    /// Which type is gone.
    id: EntityTypeId,
}

#[derive(Default)]
pub(super) struct EntityTypeQueries;

#[Object]
impl EntityTypeQueries {
    /// The entity type of a name.
    async fn entity_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its name.")] name: String,
    ) -> Option<Result<EntityType, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::ENTITY_READ) {
            return Some(Err(refusal.into()));
        }
        Some(ctx.part::<Loaders>().entity_type(name).await.transpose()?.map(EntityType))
    }

    /// The organization's entity types, in order of their names.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a connection")]
    async fn entity_types(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many at most, from the beginning: 1 to 100, 20 unless given.")] first: Option<
            i32,
        >,
        #[graphql(desc = "After this cursor.")] after: Option<String>,
        #[graphql(desc = "How many at most, from the end: 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Before this cursor.")] before: Option<String>,
    ) -> Result<Connection<EntityType>, Error<GraphError>> {
        let page =
            Page::try_new((first, after), (last, before), PageLimits::USUAL).map_err(GraphError::from)?;
        let rows = entity_type::list(ctx.session(), &page).await?;
        let total = Total::new(entity_type::count);
        Ok(page.connection(rows, total, |row| (Cursor::new(&(&row.name,)), EntityType(Arc::new(row)))))
    }
}

#[derive(Default)]
pub(super) struct EntityTypeMutations;

#[Object]
impl EntityTypeMutations {
    /// Creates an entity type.
    async fn create_entity_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The type.")] input: CreateEntityTypeInput,
    ) -> Result<CreateEntityTypePayload, Error<GraphError>> {
        let CreateEntityTypeInput { name, description, properties_schema, idempotency_key: key } = input;
        let new = NewEntityType { name, description, schema: properties_schema.unwrap_or_default().0 };
        let row = entity_type::create(ctx.session(), new, idempotency_key(key)?).await?;
        Ok(CreateEntityTypePayload { entity_type: EntityType(Arc::new(row)) })
    }

    /// Changes an entity type.
    async fn update_entity_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateEntityTypeInput,
    ) -> Result<UpdateEntityTypePayload, Error<GraphError>> {
        let UpdateEntityTypeInput {
            name,
            description,
            properties_schema,
            broken_entities: broken,
            expected_version,
        } = input;
        let schema = properties_schema.map(|schema| schema.0);
        let patch = EntityTypePatch { name, description, schema, broken, expected_version };
        let row = entity_type::update(ctx.session(), patch).await?;
        Ok(UpdateEntityTypePayload { entity_type: EntityType(Arc::new(row)) })
    }

    /// Deletes an entity type that has no entities.
    async fn delete_entity_type(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which type.")] input: DeleteEntityTypeInput,
    ) -> Result<DeleteEntityTypePayload, Error<GraphError>> {
        let id = entity_type::delete(ctx.session(), &input.name, input.expected_version).await?;
        Ok(DeleteEntityTypePayload { id })
    }
}
