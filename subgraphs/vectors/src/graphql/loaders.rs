//! Reads by key, together.

use std::collections::HashMap;

use pulse_graphql::{Batch, Loader};
use pulse_store::{CachedRead, Scope, Session, Space, StoreError, Tagging};
use pulse_types::{CollectionId, ItemId};

use crate::collection::{self, CollectionRow};
use crate::item;
use crate::item::similar::{self, SimilarKey, SimilarRow};

/// The loaders of one request.
pub(crate) struct Loaders {
    pub(crate) collections: Loader<CollectionId, Collections>,
    pub(crate) vectors: Loader<(CollectionId, ItemId), Vectors>,
    pub(crate) similar: Loader<SimilarKey, Similar>,
    /// For who does not see all items: others read the count that is kept with the collection.
    pub(crate) item_counts: Loader<CollectionId, ItemCounts>,
}

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        Self {
            collections: Loader::new(Collections(session.clone())),
            vectors: Loader::new(Vectors(session.clone())),
            similar: Loader::new(Similar(session.clone())),
            item_counts: Loader::new(ItemCounts(session.clone())),
        }
    }
}

/// Collections are the same for all in the tenant.
static COLLECTIONS: CachedRead<CollectionId, CollectionRow> = CachedRead {
    space: Space::new("vectors.collection_by_id", 1),
    scope: Scope::Tenant,
    tagging: Tagging::By(|_, id, _| collection::repo::tags(*id).to_vec()),
    load: |session, ids| {
        Box::pin(async move {
            let rows = collection::repo::find_many(session, &ids).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
    },
};

/// Collections by id.
pub(crate) struct Collections(Session);

impl Batch<CollectionId> for Collections {
    type Value = CollectionRow;

    async fn load(
        &self,
        keys: Vec<CollectionId>,
    ) -> Result<HashMap<CollectionId, CollectionRow>, StoreError> {
        self.0.read_through(&COLLECTIONS, keys).await
    }
}

/// Vectors by collection and item.
pub(crate) struct Vectors(Session);

impl Batch<(CollectionId, ItemId)> for Vectors {
    type Value = Vec<f32>;

    async fn load(
        &self,
        keys: Vec<(CollectionId, ItemId)>,
    ) -> Result<HashMap<(CollectionId, ItemId), Vec<f32>>, StoreError> {
        let Some(org) = self.0.caller().org else { return Ok(HashMap::new()) };
        let (collections, items): (Vec<_>, Vec<_>) = keys.iter().copied().unzip();
        let rows = item::repo::vectors(&self.0, org, (&collections, &items)).await?;
        let vectors: HashMap<ItemId, Vec<f32>> = rows.into_iter().collect();
        let found = |key: (CollectionId, ItemId)| Some((key, vectors.get(&key.1)?.clone()));
        Ok(keys.into_iter().filter_map(found).collect())
    }
}

/// What is similar to entities.
pub(crate) struct Similar(Session);

impl Batch<SimilarKey> for Similar {
    type Value = Vec<SimilarRow>;

    async fn load(&self, keys: Vec<SimilarKey>) -> Result<HashMap<SimilarKey, Vec<SimilarRow>>, StoreError> {
        let Some(org) = self.0.caller().org else { return Ok(HashMap::new()) };
        similar::load(&self.0, org, &keys).await
    }
}

/// How many items of collections the caller sees.
pub(crate) struct ItemCounts(Session);

impl Batch<CollectionId> for ItemCounts {
    type Value = i64;

    async fn load(&self, keys: Vec<CollectionId>) -> Result<HashMap<CollectionId, i64>, StoreError> {
        let Some(org) = self.0.caller().org else { return Ok(HashMap::new()) };
        item::repo::counts(&self.0, org, &keys).await
    }
}
