//! Items: putting them in, taking them out, reading them.

mod entity;
mod error;
pub(crate) mod filter;
pub(crate) mod repo;
pub(crate) mod search;
pub(crate) mod similar;

use std::collections::HashMap;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Begun, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{CollectionId, ItemId, Permission};
use serde::{Deserialize, Serialize};

use crate::collection::{self, CollectionRow};
use crate::sight;

pub(crate) use entity::VectorProblem;
pub(crate) use entity::{HitRow, ItemRow, NewItem, to_text};
pub(crate) use error::ItemError;

/// So many items go in or out at once.
pub(crate) const MAX_BATCH: usize = 1000;

/// So many bytes an item's metadata may have as JSON.
const MAX_METADATA: usize = 64 * 1024;

/// So many hits a search may return.
pub(crate) const MAX_HITS: i32 = 100;

/// Items to be put into a collection.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Upsert {
    pub(crate) collection_id: CollectionId,
    pub(crate) items: Vec<NewItem>,
}

/// What an upsert did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Upserted {
    /// In the order of the items.
    pub(crate) ids: Vec<ItemId>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) unchanged: i64,
}

/// Puts items in, by their keys.
pub(crate) async fn upsert(
    session: &Session,
    upsert: Upsert,
    key: Option<String>,
) -> Result<Upserted, Error<ItemError>> {
    let org = sight::may_some(session.caller(), &Permission::ITEM_WRITE)?;
    check(&upsert.items)?;
    let mut entities = upsert.items.iter().filter_map(|item| item.entity_id);
    entities.try_for_each(|entity| sight::require_entity(session.caller(), entity))?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(ItemError::from)?;
    let actor = session.caller().actor();
    let mut write = match session.write_once("vectors.upsertItems", key.as_ref(), &upsert).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => return serde_json::from_value(response).map_err(Error::internal),
    };
    let Upsert { collection_id, items } = upsert;
    let collection = lock(&mut write, collection_id, session).await?;
    let vectors = items.iter().enumerate().map(|(index, item)| {
        to_text(&item.vector, &collection).map_err(|problem| ItemError::ItemVector { index, problem })
    });
    let vectors = vectors.collect::<Result<Vec<_>, _>>()?;
    let rows = match repo::upsert_in_tx(&mut write, (org, collection_id), (items, vectors), actor).await {
        // Nobody else puts items in meanwhile, and none with this key was seen.
        Err(StoreError::Duplicate { .. }) if session.caller().is_narrowed() => {
            return Err(ItemError::UnseenKey.into());
        }
        rows => rows?,
    };
    let count = |of: fn(&repo::UpsertedRow) -> bool| i64::try_from(rows.iter().filter(|row| of(row)).count());
    let created = count(|row| row.added).unwrap_or_default();
    let updated = count(|row| row.changed).unwrap_or_default();
    let unchanged = i64::try_from(rows.len()).unwrap_or_default() - created - updated;
    let done = Upserted { ids: rows.into_iter().map(|row| row.id).collect(), created, updated, unchanged };
    if created + updated > 0 {
        collection::count_items_in_tx(&mut write, collection_id, created).await?;
    }
    let response = serde_json::to_value(&done).map_err(Error::internal)?;
    write.commit_with(fact("item:upsert", collection_id, created + updated), &response).await?;
    Ok(done)
}

/// Takes items out, by their keys; how many there were.
pub(crate) async fn delete(
    session: &Session,
    collection_id: CollectionId,
    keys: Vec<String>,
) -> Result<i64, Error<ItemError>> {
    let org = sight::may_some(session.caller(), &Permission::ITEM_WRITE)?;
    if !(1..=MAX_BATCH).contains(&keys.len()) {
        return Err(ItemError::BatchSize { field: "input.keys", given: keys.len() }.into());
    }
    let actor = session.caller().actor();
    let mut write = session.write().await?;
    lock(&mut write, collection_id, session).await?;
    let deleted = repo::delete_in_tx(&mut write, (org, collection_id), &keys, actor).await?;
    if deleted > 0 {
        collection::count_items_in_tx(&mut write, collection_id, -deleted).await?;
        write.commit(fact("item:delete", collection_id, deleted)).await?;
    }
    Ok(deleted)
}

/// The collection, for who sees it and may put items into it.
async fn lock(
    write: &mut Write,
    id: CollectionId,
    session: &Session,
) -> Result<CollectionRow, Error<ItemError>> {
    let collection = collection::repo::lock_in_tx(write, id).await?;
    let collection = collection.ok_or(ItemError::NoCollection { id, field: "input.collectionId" })?;
    sight::require_on(session.caller(), &Permission::ITEM_WRITE, id)?;
    Ok(collection)
}

/// What can be checked without knowing the collection.
fn check(items: &[NewItem]) -> Result<(), ItemError> {
    if !(1..=MAX_BATCH).contains(&items.len()) {
        return Err(ItemError::BatchSize { field: "input.items", given: items.len() });
    }
    let mut seen = HashMap::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let length = item.key.chars().count();
        if !(1..=500).contains(&length) {
            return Err(ItemError::KeyLength { index, length });
        }
        if let Some(first) = seen.insert(item.key.as_str(), index) {
            return Err(ItemError::DuplicateKey { key: item.key.clone(), first, second: index });
        }
        let size = serde_json::to_string(&item.metadata).map_or(usize::MAX, |json| json.len());
        if size > MAX_METADATA {
            return Err(ItemError::MetadataSize { index, size });
        }
    }
    Ok(())
}

/// Stands under the collection; each item's history has its versions.
fn fact(action: &'static str, collection: CollectionId, items: i64) -> AuditFact {
    let items = i32::try_from(items).unwrap_or(i32::MAX);
    AuditFact { action, subject: collection::ITEMS, key: Some(collection.uuid()), version: None, items }
}
