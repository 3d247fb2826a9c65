//! Rows of `vectors.items`.
//!
//! Reads are planned anew each time (`persistent(false)`): a plan that is kept knows no collection, and would have to
//! consider the partitions of all of them.

use std::collections::HashMap;

use async_graphql::InputObject;
use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{CollectionId, EntityId, ItemId, OrgId, Tag, UserId};
use sqlx::{FromRow, Postgres, QueryBuilder};

use super::{ItemError, ItemRow, NewItem};
use crate::collection::ITEMS;

pub(crate) const COLUMNS: &str =
    "id, collection_id, key, metadata, entity_id, version, created_at, updated_at";

/// Which items of a collection.
#[derive(Debug, Clone, Default, InputObject)]
pub(crate) struct ItemFilter {
    /// Those with one of these keys.
    pub keys: Option<Vec<String>>,
    /// Those that refer to this entity.
    pub entity_id: Option<EntityId>,
}

/// What became of one item of an upsert.
#[derive(Debug, FromRow)]
pub(crate) struct UpsertedRow {
    pub(crate) id: ItemId,
    pub(crate) added: bool,
    pub(crate) changed: bool,
}

pub(crate) async fn upsert_in_tx(
    write: &mut Write,
    (org, collection): (OrgId, CollectionId),
    (items, vectors): (Vec<NewItem>, Vec<String>),
    actor: Option<UserId>,
) -> Result<Vec<UpsertedRow>, StoreError> {
    let now = write.now();
    // Ids of the same millisecond are in no order; sorted, they keep that of the items.
    let mut ids: Vec<ItemId> = items.iter().map(|_| ItemId::new(now)).collect();
    ids.sort_unstable();
    let query = sqlx::query_as(include_str!("../queries/upsert_items.sql"))
        .bind(org)
        .bind(collection)
        .bind(ids)
        .bind(items.iter().map(|item| item.key.clone()).collect::<Vec<_>>())
        .bind(vectors)
        .bind(items.iter().map(|item| serde_json::Value::from(item.metadata.clone())).collect::<Vec<_>>())
        .bind(items.iter().map(|item| item.entity_id.map(EntityId::uuid)).collect::<Vec<_>>())
        .bind(now)
        .bind(actor)
        .persistent(false);
    write.fetch_all("items.upsert", query).await
}

pub(crate) async fn delete_in_tx(
    write: &mut Write,
    (org, collection): (OrgId, CollectionId),
    keys: &[String],
    actor: Option<UserId>,
) -> Result<i64, StoreError> {
    let query = sqlx::query_as(include_str!("../queries/delete_items.sql"))
        .bind(org)
        .bind(collection)
        .bind(keys)
        .bind(write.now())
        .bind(actor)
        .persistent(false);
    let (deleted,): (i64,) = write.fetch_one("items.delete", query).await?;
    Ok(deleted)
}

/// A page in the order of ids, which is that of coming in.
pub(crate) async fn page(
    session: &Session,
    within: (OrgId, CollectionId),
    filter: &ItemFilter,
    page: &Page,
) -> Result<Vec<ItemRow>, Error<ItemError>> {
    session.tag(|| Tag::row(ITEMS, within.1.uuid()));
    let mut query = page_query("", within, filter, page)?;
    Ok(session.fetch_all("items.page", query.build_query_as().persistent(false)).await?)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(
    verb: &str,
    within: (OrgId, CollectionId),
    filter: &ItemFilter,
    page: &Page,
) -> Result<QueryBuilder<Postgres>, ItemError> {
    let mut query = QueryBuilder::new(verb);
    query.push("SELECT ").push(COLUMNS);
    push_from(&mut query, within, filter);
    if let Some(cursor) = &page.from {
        let (id,): (ItemId,) = cursor.values()?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(
    session: &Session,
    within: (OrgId, CollectionId),
    filter: &ItemFilter,
) -> Result<i64, StoreError> {
    session.tag(|| Tag::row(ITEMS, within.1.uuid()));
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*)");
    push_from(&mut query, within, filter);
    let (count,): (i64,) = session.fetch_one("items.count", query.build_query_as().persistent(false)).await?;
    Ok(count)
}

/// How many items of each of `collections` there are; those without any are left out.
pub(crate) async fn counts(
    session: &Session,
    org: OrgId,
    collections: &[CollectionId],
) -> Result<HashMap<CollectionId, i64>, StoreError> {
    session.tag_all(collections.iter().map(|id| Tag::row(ITEMS, id.uuid())));
    let query = sqlx::query_as(
        "SELECT collection_id, count(*) FROM vectors.items WHERE org_id = $1 AND collection_id = ANY ($2)
          GROUP BY collection_id",
    );
    let query = query.bind(org).bind(collections).persistent(false);
    Ok(session.fetch_all("items.counts", query).await?.into_iter().collect())
}

/// The vectors of items.
pub(crate) async fn vectors(
    session: &Session,
    org: OrgId,
    (collections, items): (&[CollectionId], &[ItemId]),
) -> Result<Vec<(ItemId, Vec<f32>)>, StoreError> {
    session.tag_all(collections.iter().map(|id| Tag::row(ITEMS, id.uuid())));
    let query = sqlx::query_as(
        "SELECT id, embedding::real[] FROM vectors.items
          WHERE org_id = $1 AND collection_id = ANY ($2) AND id = ANY ($3)",
    );
    let query = query.bind(org).bind(collections).bind(items).persistent(false);
    session.fetch_all("items.vectors", query).await
}

fn push_from(
    query: &mut QueryBuilder<Postgres>,
    (org, collection): (OrgId, CollectionId),
    filter: &ItemFilter,
) {
    let ItemFilter { keys, entity_id } = filter;
    query.push(" FROM vectors.items WHERE org_id = ").push_bind(org);
    query.push(" AND collection_id = ").push_bind(collection);
    if let Some(keys) = keys {
        query.push(" AND key = ANY (").push_bind(keys.clone()).push(")");
    }
    if let Some(entity) = entity_id {
        query.push(" AND entity_id = ").push_bind(*entity);
    }
}
