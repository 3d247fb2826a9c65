//! Mutations of entities.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::EntityId;

use super::entity::Entity;
use super::entity_inputs::{CreateEntityInput, DeleteEntityInput, UpdateEntityInput, UpsertEntitiesInput};
use super::idempotency_key;
use super::loaders::Loaders;
use crate::entity;
use crate::entity_type::Validators;
use crate::error::GraphError;
use crate::saved::{Outcome, Saved};

/// The answer of `createEntity`.
#[derive(SimpleObject)]
pub(crate) struct CreateEntityPayload {
    /// The new entity.
    entity: Entity,
}

/// The answer of `updateEntity`.
#[derive(SimpleObject)]
pub(crate) struct UpdateEntityPayload {
    /// The entity as it is now.
    entity: Entity,
}

/// The answer of `deleteEntity`.
#[derive(SimpleObject)]
pub(crate) struct DeleteEntityPayload {
    /// Which entity is gone.
    id: EntityId,
    /// How many relationships went with it.
    deleted_relationships: usize,
}

/// The answer of `upsertEntities`.
#[derive(SimpleObject)]
pub(crate) struct UpsertEntitiesPayload {
    /// How many were created.
    created: usize,
    /// How many were changed.
    updated: usize,
    /// How many were so already.
    unchanged: usize,
    /// What was done with each item, in order of the input.
    results: Vec<UpsertEntityResult>,
}

/// What was done with one item of `upsertEntities`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct UpsertEntityResult {
    /// The entity's id.
    id: EntityId,
    /// Its version after the batch.
    version: i64,
    /// What was done with it.
    outcome: Outcome,
}

#[ComplexObject]
impl UpsertEntityResult {
    /// The entity as it is now; null when it was deleted since.
    async fn entity(&self, ctx: &Context<'_>) -> Option<Result<Entity, Error>> {
        Some(ctx.part::<Loaders>().entity(self.id).await.transpose()?.map(Entity::new))
    }
}

impl From<Vec<Saved<EntityId>>> for UpsertEntitiesPayload {
    fn from(saved: Vec<Saved<EntityId>>) -> Self {
        let count = |outcome| saved.iter().filter(|saved| saved.outcome == outcome).count();
        Self {
            created: count(Outcome::Created),
            updated: count(Outcome::Updated),
            unchanged: count(Outcome::Unchanged),
            results: saved
                .into_iter()
                .map(|Saved { id, version, outcome }| UpsertEntityResult { id, version, outcome })
                .collect(),
        }
    }
}

#[derive(Default)]
pub(super) struct EntityMutations;

#[Object]
impl EntityMutations {
    /// Creates an entity.
    async fn create_entity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entity.")] mut input: CreateEntityInput,
    ) -> Result<CreateEntityPayload, Error<GraphError>> {
        let key = idempotency_key(input.idempotency_key.take())?;
        let row = entity::create(ctx.session(), ctx.part::<Validators>(), (input.into(), key)).await?;
        Ok(CreateEntityPayload { entity: Entity::new(row) })
    }

    /// Changes an entity.
    async fn update_entity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateEntityInput,
    ) -> Result<UpdateEntityPayload, Error<GraphError>> {
        let row = entity::update(ctx.session(), ctx.part::<Validators>(), input.into()).await?;
        Ok(UpdateEntityPayload { entity: Entity::new(row) })
    }

    /// Deletes an entity, with its relationships unless asked otherwise.
    async fn delete_entity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entity.")] input: DeleteEntityInput,
    ) -> Result<DeleteEntityPayload, Error<GraphError>> {
        let DeleteEntityInput { id, refuse_if_related, expected_version } = input;
        let deleted_relationships =
            entity::delete(ctx.session(), (id, expected_version), refuse_if_related).await?;
        Ok(DeleteEntityPayload { id, deleted_relationships })
    }

    /// Creates the entities that there are not, and makes the others be as given. All or none; what is so already is
    /// not touched.
    async fn upsert_entities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The entities.")] mut input: UpsertEntitiesInput,
    ) -> Result<UpsertEntitiesPayload, Error<GraphError>> {
        let key = idempotency_key(input.idempotency_key.take())?;
        let saved = entity::upsert(ctx.session(), ctx.part::<Validators>(), (input.drafts()?, key)).await?;
        Ok(saved.into())
    }
}
