//! Subscriptions: what changes about collections and in them.

use async_graphql::{ComplexObject, Context, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use pulse_graphql::{AnyOf, ChangeFacts, ContextExt, Error, Happened, Live, LiveError, follow_in_sight};
use pulse_types::{Change, ChangeKind, CollectionId, UserId};

use super::Loaders;
use super::collection::Collection;
use crate::collection::{ITEMS, SUBJECT};
use crate::sight::CHANGES;

/// Which changes of collections to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct CollectionChangeFilter {
    /// Of these collections; at most 1,000.
    ids: Option<Vec<CollectionId>>,
    /// Of these kinds.
    kinds: Option<Vec<ChangeKind>>,
}

/// What has changed about a collection.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct CollectionChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    #[graphql(skip)]
    happened: Happened,
}

/// In which collections changes of items are of interest.
#[derive(Debug, Default, InputObject)]
pub(crate) struct ItemsChangeFilter {
    /// In these collections; at most 1,000.
    collection_ids: Option<Vec<CollectionId>>,
}

/// Items of a collection that were put or removed together.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct ItemsChange {
    /// In which collection.
    collection_id: CollectionId,
    /// Counts the changes of its items.
    revision: i64,
    /// The person who changed them; null for Pulse itself.
    actor_id: Option<UserId>,
    /// When they were changed.
    at: DateTime<Utc>,
    /// The place behind this event: subscribe with it as `after` to go on from here.
    cursor: String,
}

impl From<Happened> for CollectionChange {
    fn from(happened: Happened) -> Self {
        Self { facts: ChangeFacts::from(&happened), happened }
    }
}

impl From<Happened> for ItemsChange {
    fn from(Happened { change, cursor }: Happened) -> Self {
        Self {
            collection_id: CollectionId::from_uuid(change.key),
            revision: change.version,
            actor_id: change.actor,
            at: change.at,
            cursor,
        }
    }
}

#[ComplexObject]
impl CollectionChange {
    /// The collection as it is now, which may be later than this change; null when it is deleted.
    async fn collection(&self, ctx: &Context<'_>) -> Option<Result<Collection, Error>> {
        let change = &self.happened.change;
        if change.kind == ChangeKind::Deleted {
            return None;
        }
        found(ctx, CollectionId::from_uuid(change.key)).await
    }
}

#[ComplexObject]
impl ItemsChange {
    /// The collection as it is now, which may be later than this change; null when it is deleted.
    async fn collection(&self, ctx: &Context<'_>) -> Option<Result<Collection, Error>> {
        found(ctx, self.collection_id).await
    }
}

async fn found(ctx: &Context<'_>, id: CollectionId) -> Option<Result<Collection, Error>> {
    let row = ctx.part::<Loaders>().collections.load(id).await;
    row.map(|row| row.map(Collection)).map_err(Error::from).transpose()
}

/// The root of subscriptions.
#[derive(Default)]
pub struct CollectionSubscriptions;

#[Subscription(name = "Subscription")]
impl CollectionSubscriptions {
    /// Tells of each collection that is created, updated or deleted, once and in the order of the commits.
    async fn collection_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<
            CollectionChangeFilter,
        >,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<CollectionChange>, Error<LiveError>> {
        let CollectionChangeFilter { ids, kinds } = filter.unwrap_or_default();
        let (ids, kinds) = (AnyOf::try_new("ids", ids)?, AnyOf::try_new("kinds", kinds)?);
        let wanted =
            move |change: &Change| kinds.has(&change.kind) && ids.has(&CollectionId::from_uuid(change.key));
        follow_in_sight(ctx, (&[SUBJECT], after), CHANGES, wanted).await
    }

    /// Tells of each batch of items that was put into a collection or removed, once and in the order of the commits.
    async fn items_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which changes to hear of; all unless given.")] filter: Option<ItemsChangeFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<ItemsChange>, Error<LiveError>> {
        let ids = AnyOf::try_new("collectionIds", filter.unwrap_or_default().collection_ids)?;
        let wanted = move |change: &Change| ids.has(&CollectionId::from_uuid(change.key));
        follow_in_sight(ctx, (&[ITEMS], after), CHANGES, wanted).await
    }
}
