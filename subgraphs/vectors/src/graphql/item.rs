//! `Item`.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{CacheControlScope, ContextExt, Error, JsonObject, cache_control};
use pulse_types::{CollectionId, EntityId, ItemId};

use super::Loaders;
use super::collection::Collection;
use super::entity::Entity;
use crate::item::{self, ItemError, ItemRow, NewItem, Upsert};

/// A vector with its key and metadata.
pub(crate) struct Item(pub(crate) ItemRow);

/// An item to be put in.
#[derive(InputObject)]
pub(crate) struct ItemInput {
    /// What you call it, 1 to 500 characters, unique in the collection.
    key: String,
    /// The vector, as many finite numbers as the collection's dimension.
    vector: Vec<f32>,
    /// What is kept beside the vector and can be filtered by, at most 64 kB as JSON.
    #[graphql(default)]
    metadata: JsonObject,
    /// The entity that it describes; it makes the entity findable by similarity.
    entity_id: Option<EntityId>,
}

/// Items to be put into a collection.
#[derive(InputObject)]
pub(crate) struct UpsertItemsInput {
    /// Into which collection.
    collection_id: CollectionId,
    /// 1 to 1000 items with different keys.
    items: Vec<ItemInput>,
    /// Makes the request safe to repeat: with the same key it is done once.
    idempotency_key: Option<String>,
}

/// What became of the items.
#[derive(SimpleObject)]
pub(crate) struct UpsertItemsPayload {
    /// The ids, in the order of the items.
    ids: Vec<ItemId>,
    /// How many keys were new.
    created: i64,
    /// How many items were replaced.
    updated: i64,
    /// How many items were there already, just like this.
    unchanged: i64,
    /// The collection as it is now.
    collection: Option<Collection>,
}

/// Which items to take out.
#[derive(InputObject)]
pub(crate) struct DeleteItemsInput {
    /// Of which collection.
    collection_id: CollectionId,
    /// The keys of 1 to 1000 items.
    keys: Vec<String>,
}

/// What was taken out.
#[derive(SimpleObject)]
pub(crate) struct DeleteItemsPayload {
    /// How many there were.
    deleted: i64,
    /// The collection as it is now.
    collection: Option<Collection>,
}

/// A vector with its key and metadata.
#[Object(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
impl Item {
    /// Its id.
    async fn id(&self) -> ItemId {
        self.0.id
    }

    /// What its organization calls it.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// The vector.
    async fn vector(&self, ctx: &Context<'_>) -> Result<Vec<f32>, Error> {
        let vector = ctx.part::<Loaders>().vectors.load((self.0.collection_id, self.0.id)).await?;
        Ok(vector.unwrap_or_default())
    }

    /// What is kept beside the vector.
    async fn metadata(&self) -> &JsonObject {
        &self.0.metadata.0
    }

    /// The entity that it describes.
    async fn entity(&self) -> Option<Entity> {
        self.0.entity_id.map(|id| Entity { id })
    }

    /// Its version, from 1.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was put in.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Mutations of items.
#[derive(Default)]
pub(crate) struct ItemMutation;

#[Object]
impl ItemMutation {
    /// Puts items into a collection: new keys are added, known ones replaced.
    async fn upsert_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The items, and into which collection.")] input: UpsertItemsInput,
    ) -> Result<UpsertItemsPayload, Error<ItemError>> {
        let UpsertItemsInput { collection_id, items, idempotency_key } = input;
        let items = items.into_iter().map(|item| {
            let ItemInput { key, vector, metadata, entity_id } = item;
            NewItem { key, vector, metadata, entity_id }
        });
        let upsert = Upsert { collection_id, items: items.collect() };
        let done = item::upsert(ctx.session(), upsert, idempotency_key).await?;
        let collection = ctx.part::<Loaders>().collections.load(collection_id).await?.map(Collection);
        let item::Upserted { ids, created, updated, unchanged } = done;
        Ok(UpsertItemsPayload { ids, created, updated, unchanged, collection })
    }

    /// Takes items out of a collection, by their keys; keys that it does not have are passed over.
    async fn delete_items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The keys, and of which collection.")] input: DeleteItemsInput,
    ) -> Result<DeleteItemsPayload, Error<ItemError>> {
        let DeleteItemsInput { collection_id, keys } = input;
        let deleted = item::delete(ctx.session(), collection_id, keys).await?;
        let collection = ctx.part::<Loaders>().collections.load(collection_id).await?.map(Collection);
        Ok(DeleteItemsPayload { deleted, collection })
    }
}
