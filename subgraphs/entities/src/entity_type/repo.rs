//! Statements on `entities.types`.

use chrono::{DateTime, Utc};
use pulse_graphql::{Page, PageError};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{EntityId, EntityTypeId, OrgId, UserId};
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::EntityTypeRow;

macro_rules! columns {
    () => {
        "id, name, description, schema, version, created_at, updated_at"
    };
}

const BY_NAMES: &str = concat!("SELECT ", columns!(), " FROM entities.types WHERE name = ANY ($1)");

const BY_IDS: &str = concat!("SELECT ", columns!(), " FROM entities.types WHERE id = ANY ($1)");

pub(super) async fn by_ids(
    session: &Session,
    ids: &[EntityTypeId],
) -> Result<Vec<EntityTypeRow>, StoreError> {
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    session.fetch_all("types.by_ids", sqlx::query_as(BY_IDS).bind(ids)).await
}

pub(super) async fn by_names(session: &Session, names: &[String]) -> Result<Vec<EntityTypeRow>, StoreError> {
    session.fetch_all("types.by_names", sqlx::query_as(BY_NAMES).bind(names)).await
}

/// The types, which stay as they are until the end of the write: what was compared with a schema is stored before that
/// schema can change.
pub(super) async fn shared_by_names_in_tx(
    write: &mut Write,
    names: &[String],
) -> Result<Vec<EntityTypeRow>, StoreError> {
    const SHARED: &str =
        concat!("SELECT ", columns!(), " FROM entities.types WHERE name = ANY ($1) ORDER BY name FOR SHARE");
    write.fetch_all("types.by_names", sqlx::query_as(SHARED).bind(names)).await
}

/// The type, for changing it: when this answers, all writes that have compared entities with it are through.
pub(super) async fn for_change_in_tx(
    write: &mut Write,
    name: &str,
) -> Result<Option<EntityTypeRow>, StoreError> {
    const FOR_CHANGE: &str =
        concat!("SELECT ", columns!(), " FROM entities.types WHERE name = $1 FOR UPDATE");
    write.fetch_optional("types.for_change", sqlx::query_as(FOR_CHANGE).bind(name)).await
}

/// Properties of entities of a type, by id and after one: a part of all.
pub(super) async fn properties_in_tx(
    write: &mut Write,
    name: &str,
    (after, limit): (Uuid, i64),
) -> Result<Vec<(EntityId, String, Json<Map<String, Value>>)>, StoreError> {
    let query = sqlx::query_as(
        "SELECT id, key, properties FROM entities.entities WHERE type = $1 AND id > $2 ORDER BY id LIMIT $3",
    );
    write.fetch_all("types.properties", query.bind(name).bind(after).bind(limit)).await
}

/// A statement of the page of types, in order of their names.
pub(crate) fn list_query(page: &Page) -> Result<QueryBuilder<Postgres>, PageError> {
    let mut query = QueryBuilder::new(concat!("SELECT ", columns!(), " FROM entities.types"));
    if let Some(cursor) = &page.from {
        let (name,) = cursor.values::<(String,)>()?;
        query.push(if page.backwards { " WHERE name < " } else { " WHERE name > " }).push_bind(name);
    }
    query.push(if page.backwards { " ORDER BY name DESC LIMIT " } else { " ORDER BY name LIMIT " });
    query.push_bind(page.limit());
    Ok(query)
}

pub(super) async fn count(session: &Session) -> Result<i64, StoreError> {
    let (count,) = session
        .fetch_one("types.count", sqlx::query_as::<_, (i64,)>("SELECT count(*) FROM entities.types"))
        .await?;
    Ok(count)
}

/// Inserts a type unless there is one of that name; whether it did.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, EntityTypeId),
    (name, description): (&str, Option<&str>),
    schema: &Map<String, Value>,
) -> Result<bool, StoreError> {
    let now = write.now();
    let insert = sqlx::query(
        "INSERT INTO entities.types (org_id, id, name, description, schema, version, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 1, $6, $6) ON CONFLICT DO NOTHING",
    )
    .bind(org)
    .bind(id)
    .bind(name)
    .bind(description)
    .bind(Json(schema))
    .bind(now);
    Ok(write.execute("types.insert", insert).await? == 1)
}

/// Puts `row` in the place of its last version, unless another write has changed it since.
pub(super) async fn update_in_tx(
    write: &mut Write,
    row: &EntityTypeRow,
    actor: Option<UserId>,
) -> Result<bool, StoreError> {
    let now: DateTime<Utc> = write.now();
    let update = sqlx::query(
        "WITH old AS (
             INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
             SELECT org_id, 'entities.entity_type', id, version, to_jsonb(t) - 'org_id', $4, $5
               FROM entities.types AS t WHERE id = $1 AND version = $6
             ON CONFLICT DO NOTHING
         )
         UPDATE entities.types SET description = $2, schema = $3, version = version + 1, updated_at = $4
          WHERE id = $1 AND version = $6",
    )
    .bind(row.id)
    .bind(&row.description)
    .bind(&row.schema)
    .bind(now)
    .bind(actor)
    .bind(row.version);
    Ok(write.execute("types.update", update).await? == 1)
}

pub(super) async fn delete_in_tx(
    write: &mut Write,
    row: &EntityTypeRow,
    actor: Option<UserId>,
) -> Result<bool, StoreError> {
    let now = write.now();
    let delete = sqlx::query(
        "WITH gone AS (
             DELETE FROM entities.types WHERE id = $1 AND version = $4 RETURNING *
         )
         INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
         SELECT org_id, 'entities.entity_type', id, version, to_jsonb(gone) - 'org_id', $2, $3 FROM gone
         ON CONFLICT DO NOTHING",
    )
    .bind(row.id)
    .bind(now)
    .bind(actor)
    .bind(row.version);
    Ok(write.execute("types.delete", delete).await? == 1)
}
