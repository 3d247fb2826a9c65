//! Mutations of relationships.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::RelationshipId;

use super::idempotency_key;
use super::loaders::Loaders;
use super::relationship::Relationship;
use super::relationship_inputs::{
    CreateRelationshipInput, DeleteRelationshipInput, UpdateRelationshipInput, UpsertRelationshipsInput,
};
use crate::error::GraphError;
use crate::relationship;
use crate::saved::{Outcome, Saved};

/// The answer of `createRelationship`.
#[derive(SimpleObject)]
pub(crate) struct CreateRelationshipPayload {
    /// The new relationship.
    relationship: Relationship,
}

/// The answer of `updateRelationship`.
#[derive(SimpleObject)]
pub(crate) struct UpdateRelationshipPayload {
    /// The relationship as it is now.
    relationship: Relationship,
}

/// The answer of `deleteRelationship`.
#[derive(SimpleObject)]
pub(crate) struct DeleteRelationshipPayload {
    /// Which relationship is gone.
    id: RelationshipId,
}

/// The answer of `upsertRelationships`.
#[derive(SimpleObject)]
pub(crate) struct UpsertRelationshipsPayload {
    /// How many were created.
    created: usize,
    /// How many were changed.
    updated: usize,
    /// How many were so already.
    unchanged: usize,
    /// What was done with each item, in order of the input.
    results: Vec<UpsertRelationshipResult>,
}

/// What was done with one item of `upsertRelationships`.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct UpsertRelationshipResult {
    /// The relationship's id.
    id: RelationshipId,
    /// Its version after the batch.
    version: i64,
    /// What was done with it.
    outcome: Outcome,
}

#[ComplexObject]
impl UpsertRelationshipResult {
    /// The relationship as it is now; null when it was deleted since.
    async fn relationship(&self, ctx: &Context<'_>) -> Option<Result<Relationship, Error>> {
        Some(ctx.part::<Loaders>().relationship(self.id).await.transpose()?.map(Relationship::new))
    }
}

impl From<Vec<Saved<RelationshipId>>> for UpsertRelationshipsPayload {
    fn from(saved: Vec<Saved<RelationshipId>>) -> Self {
        let count = |outcome| saved.iter().filter(|saved| saved.outcome == outcome).count();
        Self {
            created: count(Outcome::Created),
            updated: count(Outcome::Updated),
            unchanged: count(Outcome::Unchanged),
            results: saved
                .into_iter()
                .map(|Saved { id, version, outcome }| UpsertRelationshipResult { id, version, outcome })
                .collect(),
        }
    }
}

#[derive(Default)]
pub(super) struct RelationshipMutations;

#[Object]
impl RelationshipMutations {
    /// Creates a relationship between two entities.
    async fn create_relationship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The relationship.")] mut input: CreateRelationshipInput,
    ) -> Result<CreateRelationshipPayload, Error<GraphError>> {
        let key = idempotency_key(input.idempotency_key.take())?;
        let row = relationship::create(ctx.session(), input.draft()?, key).await?;
        Ok(CreateRelationshipPayload { relationship: Relationship::new(row) })
    }

    /// Changes a relationship.
    async fn update_relationship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateRelationshipInput,
    ) -> Result<UpdateRelationshipPayload, Error<GraphError>> {
        let row = relationship::update(ctx.session(), input.into()).await?;
        Ok(UpdateRelationshipPayload { relationship: Relationship::new(row) })
    }

    /// Deletes a relationship.
    async fn delete_relationship(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which relationship.")] input: DeleteRelationshipInput,
    ) -> Result<DeleteRelationshipPayload, Error<GraphError>> {
        relationship::delete(ctx.session(), input.id, input.expected_version).await?;
        Ok(DeleteRelationshipPayload { id: input.id })
    }

    /// Creates the relationships that there are not, and makes the others be as given. All or none; what is so
    /// already is not touched.
    async fn upsert_relationships(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The relationships.")] mut input: UpsertRelationshipsInput,
    ) -> Result<UpsertRelationshipsPayload, Error<GraphError>> {
        let key = idempotency_key(input.idempotency_key.take())?;
        let saved = relationship::upsert(ctx.session(), input.drafts()?, key).await?;
        Ok(saved.into())
    }
}
