//! What vectors add to `Entity`.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use pulse_graphql::{CacheControlScope, ContextExt, Error, cache_control};
use pulse_types::{CollectionId, EntityId};

use super::Loaders;
use super::collection::Collection;
use crate::item::ItemError;
use crate::item::similar::SimilarKey;
use crate::sight;

/// An entity of the knowledge graph.
#[derive(SimpleObject)]
#[graphql(complex, directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct Entity {
    /// Its id.
    pub(crate) id: EntityId,
}

/// An entity near another one.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct SimilarEntity {
    /// The entity; null when it was deleted and its item is still there.
    entity: Option<Entity>,
    /// How near it is, higher is nearer, as in a search of the collection.
    score: f64,
    /// How far it is, as in a search of the collection.
    distance: f64,
    /// The collection whose items say so.
    collection: Collection,
}

#[ComplexObject]
impl Entity {
    /// The entities whose items are nearest to this one's, nearest first; empty when no item refers to this one.
    async fn similar(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many, 1 to 100.", default = 10)] first: i32,
        #[graphql(desc = "Only by this collection; otherwise by each that has an item of the entity.")]
        collection_id: Option<CollectionId>,
    ) -> Option<Result<Vec<SimilarEntity>, Error<ItemError>>> {
        Some(self.find_similar(ctx, first, collection_id).await)
    }
}

impl Entity {
    async fn find_similar(
        &self,
        ctx: &Context<'_>,
        first: i32,
        collection: Option<CollectionId>,
    ) -> Result<Vec<SimilarEntity>, Error<ItemError>> {
        sight::may_read(ctx.session().caller())?;
        if !(1..=crate::item::MAX_HITS).contains(&first) {
            return Err(ItemError::First(first).into());
        }
        let key = SimilarKey { entity: self.id, collection, first };
        let rows = ctx.part::<Loaders>().similar.load(key).await?.unwrap_or_default();
        let similar = rows.into_iter().map(|row| SimilarEntity {
            entity: Some(Entity { id: row.entity }),
            score: row.collection.metric.score(row.distance),
            distance: row.distance,
            collection: Collection(row.collection),
        });
        Ok(similar.collect())
    }
}

/// The entity lookup.
#[derive(Default)]
pub(crate) struct EntityQuery;

#[Object]
impl EntityQuery {
    #[graphql(entity)]
    async fn find_entity(&self, #[graphql(key)] id: EntityId) -> Option<Entity> {
        Some(Entity { id })
    }
}
