//! Rows of `vectors.collections`.

use pulse_graphql::Page;
use pulse_store::{Session, StoreError, Write};
use pulse_types::{CollectionId, OrgId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::{CollectionError, CollectionRow, ITEMS, NewCollection, SUBJECT};

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, name, dimension, metric, m, ef_construction, ef_search, exact_below, index_status,
                    item_count, revision, version, created_at, updated_at
               FROM vectors.collections WHERE deleted_at IS NULL ",
            $tail
        )
    };
}

const RETURNING: &str = " RETURNING id, name, dimension, metric, m, ef_construction, ef_search, exact_below,
    index_status, item_count, revision, version, created_at, updated_at";

/// The collection itself, and its items, which it counts.
pub(crate) fn tags(id: CollectionId) -> [Tag; 2] {
    [Tag::row(SUBJECT, id.uuid()), Tag::row(ITEMS, id.uuid())]
}

pub(crate) async fn find(session: &Session, id: CollectionId) -> Result<Option<CollectionRow>, StoreError> {
    session.tag_all(tags(id));
    session.fetch_optional("collections.find", sqlx::query_as(select!("AND id = $1")).bind(id)).await
}

pub(crate) async fn find_many(
    session: &Session,
    ids: &[CollectionId],
) -> Result<Vec<CollectionRow>, StoreError> {
    session.tag_all(ids.iter().flat_map(|id| tags(*id)));
    session.fetch_all("collections.find_many", sqlx::query_as(select!("AND id = ANY ($1)")).bind(ids)).await
}

/// All of the tenant: they are few. Who uses one of them says that its items matter.
pub(crate) async fn all(session: &Session) -> Result<Vec<CollectionRow>, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    session.fetch_all("collections.all", sqlx::query_as(select!("ORDER BY name"))).await
}

/// A page in the order of names, which are unique.
pub(crate) async fn page(
    session: &Session,
    page: &Page,
) -> Result<Vec<CollectionRow>, pulse_graphql::Error<CollectionError>> {
    session.tag(|| Tag::list(SUBJECT));
    let mut query = page_query("", page)?;
    let rows: Vec<CollectionRow> = session.fetch_all("collections.page", query.build_query_as()).await?;
    session.tag_all(rows.iter().map(|row| Tag::row(ITEMS, row.id.uuid())));
    Ok(rows)
}

/// The statement of [`page`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn page_query(verb: &str, page: &Page) -> Result<QueryBuilder<Postgres>, CollectionError> {
    let mut query = QueryBuilder::new(verb);
    query.push(select!(""));
    if let Some(cursor) = &page.from {
        let (name,): (String,) = cursor.values()?;
        query.push(if page.backwards { " AND name < " } else { " AND name > " }).push_bind(name);
    }
    query.push(if page.backwards { " ORDER BY name DESC LIMIT " } else { " ORDER BY name LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(crate) async fn count(session: &Session) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(SUBJECT));
    let query = sqlx::query_as("SELECT count(*) FROM vectors.collections WHERE deleted_at IS NULL");
    let (count,): (i64,) = session.fetch_one("collections.count", query).await?;
    Ok(count)
}

/// Inserts it, unless the tenant has `limit` already.
pub(crate) async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    id: CollectionId,
    new: &NewCollection,
    limit: i64,
) -> Result<Option<CollectionRow>, StoreError> {
    let NewCollection { name, dimension, metric, m, ef_construction, ef_search, exact_below } = new;
    let now = write.now();
    let sql = format!(
        "INSERT INTO vectors.collections (org_id, id, name, dimension, metric, m, ef_construction, ef_search,
             exact_below, index_status, item_count, revision, version, created_at, updated_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 'EXACT', 0, 0, 1, $10, $10
          WHERE (SELECT count(*) FROM vectors.collections WHERE deleted_at IS NULL) < $11 {RETURNING}"
    );
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(org)
        .bind(id)
        .bind(name)
        .bind(dimension)
        .bind(metric)
        .bind(m)
        .bind(ef_construction)
        .bind(ef_search)
        .bind(exact_below)
        .bind(now)
        .bind(limit);
    write.fetch_optional("collections.insert", query).await
}

pub(crate) async fn create_partition_in_tx(write: &mut Write, id: CollectionId) -> Result<(), StoreError> {
    let query = sqlx::query("SELECT vectors.create_partition($1)").bind(id);
    write.execute("collections.create_partition", query).await.map(drop)
}

/// The row, which no other write changes until this one ends; neither does one change its items.
pub(crate) async fn lock_in_tx(
    write: &mut Write,
    id: CollectionId,
) -> Result<Option<CollectionRow>, StoreError> {
    let query = sqlx::query_as(select!("AND id = $1 FOR UPDATE")).bind(id);
    write.fetch_optional("collections.lock", query).await
}

/// Keeps the row as it is in the history, before it changes.
pub(crate) async fn keep_in_tx(
    write: &mut Write,
    id: CollectionId,
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO vectors.history (org_id, subject, id, version, value, at, actor)
         SELECT org_id, 'vectors.collection', id, version, to_jsonb(c) - 'org_id', $2, $3
           FROM vectors.collections AS c WHERE id = $1",
    )
    .bind(id)
    .bind(write.now())
    .bind(actor);
    write.execute("collections.keep", query).await.map(drop)
}

/// Writes what may change. A collection that has become too large for exact search is to be indexed.
pub(crate) async fn update_in_tx(
    write: &mut Write,
    new: &CollectionRow,
) -> Result<CollectionRow, StoreError> {
    let sql = format!(
        "UPDATE vectors.collections
            SET name = $2, ef_search = $3, exact_below = $4, version = version + 1, updated_at = $5,
                index_status = CASE WHEN item_count > $4 AND index_status = 'EXACT' THEN 'BUILDING'
                                    ELSE index_status END
          WHERE id = $1 {RETURNING}"
    );
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(new.id)
        .bind(&new.name)
        .bind(new.ef_search)
        .bind(new.exact_below)
        .bind(write.now());
    write.fetch_one("collections.update", query).await
}

pub(crate) async fn mark_deleted_in_tx(
    write: &mut Write,
    id: CollectionId,
) -> Result<CollectionRow, StoreError> {
    let sql = format!(
        "UPDATE vectors.collections SET deleted_at = $2, version = version + 1 WHERE id = $1 {RETURNING}"
    );
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).bind(write.now());
    write.fetch_one("collections.delete", query).await
}

pub(crate) async fn count_in_tx(
    write: &mut Write,
    id: CollectionId,
    added: i64,
) -> Result<CollectionRow, StoreError> {
    let sql = format!(
        "UPDATE vectors.collections
            SET item_count = item_count + $2, revision = revision + 1,
                index_status = CASE WHEN item_count + $2 > exact_below AND index_status = 'EXACT' THEN 'BUILDING'
                                    ELSE index_status END
          WHERE id = $1 {RETURNING}"
    );
    let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id).bind(added);
    write.fetch_one("collections.count_items", query).await
}

pub(crate) async fn mark_indexed_in_tx(
    write: &mut Write,
    id: CollectionId,
) -> Result<Option<CollectionRow>, StoreError> {
    let sql = format!(
        "UPDATE vectors.collections SET index_status = 'HNSW'
          WHERE id = $1 AND deleted_at IS NULL AND index_status <> 'HNSW' {RETURNING}"
    );
    write.fetch_optional("collections.indexed", sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(id)).await
}
