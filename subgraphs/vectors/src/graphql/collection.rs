//! `Collection`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{
    CacheControlScope, Connection, ContextExt, Cursor, Error, Page, PageLimits, Total, cache_control,
};
use pulse_types::CollectionId;

use super::Loaders;
use super::item::Item;
use crate::collection::{
    self, CollectionChange, CollectionError, CollectionRow, IndexStatus, Metric, NewCollection,
};
use crate::item::repo::ItemFilter;
use crate::item::{self, ItemError};
use crate::sight;

/// A collection of vectors of one dimension, compared by one metric.
pub(crate) struct Collection(pub(crate) CollectionRow);

/// How a collection is searched.
#[derive(SimpleObject)]
#[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
pub(crate) struct IndexSettings {
    /// HNSW: connections of each element of the graph. More find more and take more room.
    m: i32,
    /// HNSW: candidates looked at while building.
    ef_construction: i32,
    /// HNSW: candidates looked at while searching. More find more and take longer.
    ef_search: i32,
    /// Up to this many items a search compares all of them, and finds exactly the nearest.
    exact_below: i32,
}

/// How a new collection is searched.
#[derive(InputObject)]
pub(crate) struct IndexSettingsInput {
    /// HNSW: connections of each element of the graph, 2 to 100. It cannot be changed later.
    #[graphql(default = 16)]
    m: i32,
    /// HNSW: candidates looked at while building, at least twice `m`, at most 1000. It cannot be changed later.
    #[graphql(default = 64)]
    ef_construction: i32,
    /// HNSW: candidates looked at while searching, 1 to 1000.
    #[graphql(default = 100)]
    ef_search: i32,
    /// Up to this many items a search compares all of them, 0 to 100000.
    #[graphql(default = 20_000)]
    exact_below: i32,
}

/// What a new collection is made of.
#[derive(InputObject)]
pub(crate) struct CreateCollectionInput {
    /// What people call it, 1 to 200 characters, unique in the organization.
    name: String,
    /// How many numbers each vector has, 1 to 2000.
    dimension: i32,
    /// How nearness is measured.
    metric: Metric,
    /// How it is searched; the defaults suit most.
    index: Option<IndexSettingsInput>,
    /// Makes the request safe to repeat: with the same key it is done once.
    idempotency_key: Option<String>,
}

/// A new collection.
#[derive(SimpleObject)]
pub(crate) struct CreateCollectionPayload {
    /// The collection.
    collection: Collection,
}

/// What is to change of a collection; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateCollectionInput {
    /// Which one.
    id: CollectionId,
    /// What people call it from now on.
    name: Option<String>,
    /// HNSW: candidates looked at while searching, 1 to 1000.
    ef_search: Option<i32>,
    /// Up to this many items a search compares all of them, 0 to 100000.
    exact_below: Option<i32>,
    /// Refuse the change when the collection has another version by now.
    expected_version: Option<i64>,
}

/// The collection as it is now.
#[derive(SimpleObject)]
pub(crate) struct UpdateCollectionPayload {
    /// The collection.
    collection: Collection,
}

/// Which collection to delete.
#[derive(InputObject)]
pub(crate) struct DeleteCollectionInput {
    /// Which one.
    id: CollectionId,
}

/// What was deleted.
#[derive(SimpleObject)]
pub(crate) struct DeleteCollectionPayload {
    /// The id of the deleted collection.
    id: CollectionId,
}

/// A collection of vectors of one dimension, compared by one metric.
#[Object(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
impl Collection {
    /// Its id.
    pub(crate) async fn id(&self) -> CollectionId {
        self.0.id
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// How many numbers each vector has.
    async fn dimension(&self) -> i32 {
        self.0.dimension
    }

    /// How nearness is measured.
    async fn metric(&self) -> Metric {
        self.0.metric
    }

    /// How it is searched.
    async fn index(&self) -> IndexSettings {
        let CollectionRow { m, ef_construction, ef_search, exact_below, .. } = self.0;
        IndexSettings { m, ef_construction, ef_search, exact_below }
    }

    /// How it is searched at the moment.
    async fn index_status(&self) -> IndexStatus {
        self.0.index_status
    }

    /// How many items it has.
    async fn item_count(&self, ctx: &Context<'_>) -> Result<i64, Error> {
        if ctx.session().caller().entities_in_sight().is_all() {
            return Ok(self.0.item_count);
        }
        Ok(ctx.part::<Loaders>().item_counts.load(self.0.id).await?.unwrap_or_default())
    }

    /// Its version, from 1; changes of its items do not count.
    async fn version(&self) -> i64 {
        self.0.version
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When it last changed, its items not counted.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }

    /// Its items, in the order in which they came in.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    async fn items(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: Option<ItemFilter>,
    ) -> Result<Connection<Item>, Error<ItemError>> {
        let session = ctx.session();
        let org = sight::may_read(session.caller())?;
        let page =
            Page::try_new((first, after), (last, before), PageLimits::USUAL).map_err(ItemError::from)?;
        let (within, filter) = ((org, self.0.id), filter.unwrap_or_default());
        let rows = item::repo::page(session, within, &filter, &page).await?;
        let total = Total::new(move |session| {
            let filter = filter.clone();
            async move { item::repo::count(&session, within, &filter).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), Item(row))))
    }
}

/// Queries about collections.
#[derive(Default)]
pub(crate) struct CollectionQuery;

#[Object]
impl CollectionQuery {
    /// One collection, or null when there is none that the caller may see.
    async fn collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: CollectionId,
    ) -> Option<Result<Collection, Error>> {
        collection::get(ctx.session(), id).await.map(|row| row.map(Collection)).transpose()
    }

    /// The organization's collections, in the order of their names.
    #[graphql(directive = cache_control::apply(Some(CacheControlScope::Tenant)))]
    async fn collections(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Collection>, Error<CollectionError>> {
        let session = ctx.session();
        sight::may_read(session.caller())?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(CollectionError::from)?;
        let rows = collection::repo::page(session, &page).await?;
        let total = Total::new(|session| async move { collection::repo::count(&session).await });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(&row.name,)), Collection(row))))
    }

    #[graphql(entity)]
    async fn find_collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: CollectionId,
    ) -> Option<Result<Collection, Error>> {
        if let Err(refusal) = sight::may_read(ctx.session().caller()) {
            return Some(Err(refusal.into()));
        }
        let row = ctx.part::<Loaders>().collections.load(id).await;
        row.map(|row| row.map(Collection)).map_err(Error::from).transpose()
    }
}

/// Mutations of collections.
#[derive(Default)]
pub(crate) struct CollectionMutation;

#[Object]
impl CollectionMutation {
    /// Makes a collection.
    async fn create_collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is made of.")] input: CreateCollectionInput,
    ) -> Result<CreateCollectionPayload, Error<CollectionError>> {
        let CreateCollectionInput { name, dimension, metric, index, idempotency_key } = input;
        let index = index.unwrap_or(IndexSettingsInput {
            m: 16,
            ef_construction: 64,
            ef_search: 100,
            exact_below: 20_000,
        });
        let IndexSettingsInput { m, ef_construction, ef_search, exact_below } = index;
        let new = NewCollection { name, dimension, metric, m, ef_construction, ef_search, exact_below };
        let row = collection::create(ctx.session(), new, idempotency_key).await?;
        Ok(CreateCollectionPayload { collection: Collection(row) })
    }

    /// Changes a collection. Dimension and metric stay, as its vectors depend on them.
    async fn update_collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one, and what changes.")] input: UpdateCollectionInput,
    ) -> Result<UpdateCollectionPayload, Error<CollectionError>> {
        let UpdateCollectionInput { id, name, ef_search, exact_below, expected_version } = input;
        let change = CollectionChange { name, ef_search, exact_below, expected_version };
        let row = collection::update(ctx.session(), id, change).await?;
        Ok(UpdateCollectionPayload { collection: Collection(row) })
    }

    /// Deletes a collection and all of its items.
    async fn delete_collection(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteCollectionInput,
    ) -> Result<DeleteCollectionPayload, Error<CollectionError>> {
        let id = collection::delete(ctx.session(), input.id).await?;
        Ok(DeleteCollectionPayload { id })
    }
}
