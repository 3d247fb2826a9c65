//! Statements on `entities.entities`.

use chrono::{DateTime, SubsecRound, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{EntityId, OrgId, Tag, UserId};
use sqlx::types::Json;
use uuid::Uuid;

use super::row::{EntityRow, all_columns};
use super::{EntityDraft, SUBJECT, Save};

const BY_IDS: &str = concat!("SELECT ", all_columns!(), " FROM entities.entities AS e WHERE e.id = ANY ($1)");
const BY_KEYS: &str =
    concat!("SELECT ", all_columns!(), " FROM entities.entities AS e WHERE e.key = ANY ($1)");

pub(crate) async fn by_ids(session: &Session, ids: &[EntityId]) -> Result<Vec<EntityRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.fetch_all("entities.by_ids", sqlx::query_as(BY_IDS).bind(uuids(ids))).await
}

pub(crate) async fn by_keys(session: &Session, keys: &[String]) -> Result<Vec<EntityRow>, StoreError> {
    session.fetch_all("entities.by_keys", sqlx::query_as(BY_KEYS).bind(keys)).await
}

pub(super) async fn by_ids_in_tx(write: &mut Write, ids: &[EntityId]) -> Result<Vec<EntityRow>, StoreError> {
    write.fetch_all("entities.by_ids", sqlx::query_as(BY_IDS).bind(uuids(ids))).await
}

/// Planned each time, as is all that an import looks up: a plan that was kept from when the table was small would read
/// all of it for each of thousands of keys.
pub(super) async fn by_keys_in_tx(write: &mut Write, keys: &[&str]) -> Result<Vec<EntityRow>, StoreError> {
    write.fetch_all("entities.by_keys", sqlx::query_as(BY_KEYS).bind(keys).persistent(false)).await
}

/// The ids of the entities that have one of these ids or keys, each with its key.
pub(crate) async fn identify_in_tx(
    write: &mut Write,
    ids: &[EntityId],
    keys: &[&str],
) -> Result<Vec<(EntityId, String)>, StoreError> {
    let query = sqlx::query_as(
        "SELECT id, key FROM entities.entities WHERE id = ANY ($1)
         UNION SELECT id, key FROM entities.entities WHERE key = ANY ($2)",
    );
    write.fetch_all("entities.identify", query.bind(uuids(ids)).bind(keys).persistent(false)).await
}

/// What inserting is called.
pub(super) const INSERT: &str = "entities.insert";

/// Inserts the drafts under new ids; fails when another write has just made one of the keys.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    new: &[(EntityId, &EntityDraft)],
) -> Result<(), StoreError> {
    let now = write.now().trunc_subsecs(3);
    let drafts = || new.iter().map(|(_, draft)| *draft);
    let insert = sqlx::query(include_str!("../queries/insert_entities.sql"))
        .bind(org)
        .bind(new.iter().map(|(id, _)| id.uuid()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.key.as_str()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.type_name.as_str()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.name.as_str()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.description.as_deref()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.confidence).collect::<Vec<_>>())
        .bind(drafts().map(|draft| Json(&draft.properties)).collect::<Vec<_>>())
        .bind(now);
    let inserted = write.execute(INSERT, insert).await.map_err(raced)?;
    all_of(inserted, new.len(), INSERT)
}

/// Writes the rows by whose properties these entities are found. They have none: new ones never had, and changing took away
/// what there was.
pub(super) async fn index_in_tx(write: &mut Write, ids: &[EntityId]) -> Result<(), StoreError> {
    let index = sqlx::query(include_str!("../queries/index_properties.sql")).bind(uuids(ids));
    write.execute("properties.insert", index.persistent(false)).await.map(drop)
}

/// Updates rows and keeps what they were; fails when another write has just changed one of them.
pub(super) async fn update_in_tx(
    write: &mut Write,
    actor: Option<UserId>,
    changed: &[&Save<'_>],
) -> Result<(), StoreError> {
    let now: DateTime<Utc> = write.now();
    let drafts = || changed.iter().map(|save| save.draft);
    let update = sqlx::query(include_str!("../queries/update_entities.sql"))
        .bind(now)
        .bind(actor)
        .bind(changed.iter().map(|save| save.id.uuid()).collect::<Vec<_>>())
        .bind(changed.iter().map(|save| save.version - 1).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.type_name.as_str()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.name.as_str()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.description.as_deref()).collect::<Vec<_>>())
        .bind(drafts().map(|draft| draft.confidence).collect::<Vec<_>>())
        .bind(drafts().map(|draft| Json(&draft.properties)).collect::<Vec<_>>())
        .bind(changed.iter().map(|save| save.is_found_otherwise).collect::<Vec<_>>());
    let updated = write.execute("entities.update", update).await.map_err(raced)?;
    all_of(updated, changed.len(), "entities.update")
}

/// Deletes the row and keeps what it was; fails when another write has just changed it, or something refers to it.
pub(super) async fn delete_in_tx(
    write: &mut Write,
    actor: Option<UserId>,
    row: &EntityRow,
) -> Result<(), StoreError> {
    let now = write.now();
    let delete = sqlx::query(include_str!("../queries/delete_entity.sql"));
    let delete = delete.bind(row.id).bind(row.version).bind(now).bind(actor);
    let deleted = write.execute("entities.delete", delete).await?;
    all_of(deleted, 1, "entities.delete")
}

pub(crate) fn uuids(ids: &[EntityId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// What this write has looked at was there a moment ago: a reference that fails now was cut by another write.
pub(crate) fn raced(error: StoreError) -> StoreError {
    match error {
        StoreError::Reference { statement, .. } => StoreError::Contention { statement },
        other => other,
    }
}

/// Fewer rows than expected means that another write came between.
pub(crate) fn all_of(rows: u64, expected: usize, statement: &'static str) -> Result<(), StoreError> {
    if rows == expected as u64 { Ok(()) } else { Err(StoreError::Contention { statement }) }
}
