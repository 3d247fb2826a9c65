//! `Subscription.entityTypeChanged`

use std::sync::Arc;

use async_graphql::{ComplexObject, Context, InputObject, SimpleObject, Subscription};
use pulse_graphql::{AnyOf, ChangeFacts, ContextExt, Error, Following, Happened, Live, LiveError, follow};
use pulse_types::{Change, ChangeKind, EntityTypeId, Permission};

use super::super::Loaders;
use super::super::entity_type::EntityType;
use crate::entity_type::SUBJECT;

/// Which changes of entity types to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct EntityTypeChangeFilter {
    /// Of the types with these ids; at most 1,000.
    ids: Option<Vec<EntityTypeId>>,
    /// Of these kinds.
    kinds: Option<Vec<ChangeKind>>,
}

/// What has changed about an entity type.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct EntityTypeChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    #[graphql(skip)]
    happened: Happened,
}

impl From<Happened> for EntityTypeChange {
    fn from(happened: Happened) -> Self {
        Self { facts: ChangeFacts::from(&happened), happened }
    }
}

#[ComplexObject]
impl EntityTypeChange {
    /// The type as it is now, which may be later than this change; null when it is deleted.
    async fn entity_type(&self, ctx: &Context<'_>) -> Option<Result<EntityType, Error>> {
        let change = &self.happened.change;
        if change.kind == ChangeKind::Deleted {
            return None;
        }
        let id = EntityTypeId::from_uuid(change.key);
        let row = ctx.part::<Loaders>().entity_type_of_id(id).await.transpose()?;
        Some(row.map(|row| EntityType(Arc::clone(&row))))
    }
}

#[derive(Default)]
pub(crate) struct EntityTypeSubscriptions;

#[Subscription]
impl EntityTypeSubscriptions {
    /// Tells of each entity type that is created, updated or deleted, once and in the order of the commits.
    async fn entity_type_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<
            EntityTypeChangeFilter,
        >,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<EntityTypeChange>, Error<LiveError>> {
        let EntityTypeChangeFilter { ids, kinds } = filter.unwrap_or_default();
        let (ids, kinds) = (AnyOf::try_new("ids", ids)?, AnyOf::try_new("kinds", kinds)?);
        let wanted =
            move |change: &Change| kinds.has(&change.kind) && ids.has(&EntityTypeId::from_uuid(change.key));
        follow(ctx, Following { subjects: &[SUBJECT], permission: Permission::ENTITY_READ, after }, wanted)
            .await
    }
}
