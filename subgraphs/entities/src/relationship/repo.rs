//! Statements that write `entities.relationships`.

use chrono::SubsecRound;
use pulse_store::{Session, StoreError, Write};
use pulse_types::{EntityId, OrgId, RelationshipId, Tag, UserId};
use sqlx::types::Json;

use super::SUBJECT;
use super::list::{BY_IDS, uuids};
use super::row::{RelationshipRow, relationship_columns};
use super::save::Save;
use crate::entity::repo::{all_of, raced};

/// What is left to tell of a deleted relationship.
pub(super) type Gone = (RelationshipId, i64, String, EntityId, EntityId);

pub(crate) async fn by_ids(
    session: &Session,
    ids: &[RelationshipId],
) -> Result<Vec<RelationshipRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.fetch_all("relationships.by_ids", sqlx::query_as(BY_IDS).bind(uuids(ids))).await
}

pub(super) async fn by_id_in_tx(
    write: &mut Write,
    id: RelationshipId,
) -> Result<Option<RelationshipRow>, StoreError> {
    write.fetch_optional("relationships.by_ids", sqlx::query_as(BY_IDS).bind(uuids(&[id]))).await
}

/// The relationships of these identities, as far as they exist.
pub(super) async fn by_identity_in_tx(
    write: &mut Write,
    identities: &[(EntityId, &str, EntityId)],
) -> Result<Vec<RelationshipRow>, StoreError> {
    // One look into the unique index for each, whatever the planner believes about the sizes of the two.
    const BY_IDENTITY: &str = concat!(
        "SELECT found.* FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS given (source_id, type, target_id)
          CROSS JOIN LATERAL (SELECT ",
        relationship_columns!(),
        " FROM entities.relationships AS r
            WHERE r.source_id = given.source_id AND r.type = given.type AND r.target_id = given.target_id
            LIMIT 1) AS found"
    );
    let query = sqlx::query_as(BY_IDENTITY)
        .bind(identities.iter().map(|(source, _, _)| source.uuid()).collect::<Vec<_>>())
        .bind(identities.iter().map(|(_, name, _)| *name).collect::<Vec<_>>())
        .bind(identities.iter().map(|(_, _, target)| target.uuid()).collect::<Vec<_>>())
        .persistent(false);
    write.fetch_all("relationships.by_identity", query).await
}

/// Inserts relationships; fails when another write has just made one of them or deleted one of their ends.
pub(super) async fn insert_in_tx(write: &mut Write, org: OrgId, new: &[&Save<'_>]) -> Result<(), StoreError> {
    let now = write.now().trunc_subsecs(3);
    let insert = sqlx::query(
        "INSERT INTO entities.relationships
                (org_id, id, type, source_id, target_id, confidence, properties, version, created_at, updated_at)
         SELECT $1, id, type, source_id, target_id, confidence, properties, 1, $8, $8
           FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::float8[], $7::jsonb[])
                AS new (id, type, source_id, target_id, confidence, properties)
             ON CONFLICT DO NOTHING",
    )
    .bind(org)
    .bind(new.iter().map(|save| save.id.uuid()).collect::<Vec<_>>())
    .bind(new.iter().map(|save| save.draft.type_name).collect::<Vec<_>>())
    .bind(new.iter().map(|save| save.draft.source.uuid()).collect::<Vec<_>>())
    .bind(new.iter().map(|save| save.draft.target.uuid()).collect::<Vec<_>>())
    .bind(new.iter().map(|save| save.draft.confidence).collect::<Vec<_>>())
    .bind(new.iter().map(|save| Json(save.draft.properties)).collect::<Vec<_>>())
    .bind(now);
    let inserted = write.execute("relationships.insert", insert).await.map_err(raced)?;
    all_of(inserted, new.len(), "relationships.insert")
}

/// Updates rows and keeps what they were; fails when another write has just changed one of them.
pub(super) async fn update_in_tx(
    write: &mut Write,
    actor: Option<UserId>,
    changed: &[&Save<'_>],
) -> Result<(), StoreError> {
    let now = write.now();
    let update = sqlx::query(include_str!("../queries/update_relationships.sql"))
        .bind(now)
        .bind(actor)
        .bind(changed.iter().map(|save| save.id.uuid()).collect::<Vec<_>>())
        .bind(changed.iter().map(|save| save.version - 1).collect::<Vec<_>>())
        .bind(changed.iter().map(|save| save.draft.confidence).collect::<Vec<_>>())
        .bind(changed.iter().map(|save| Json(save.draft.properties)).collect::<Vec<_>>());
    let updated = write.execute("relationships.update", update).await?;
    all_of(updated, changed.len(), "relationships.update")
}

const DELETE_ONE: &str = "WITH gone AS (
    DELETE FROM entities.relationships WHERE id = $1 AND version = $4 RETURNING *
), old AS (
    INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
    SELECT org_id, 'entities.relationship', id, version, to_jsonb(gone) - 'org_id', $2, $3 FROM gone
    ON CONFLICT DO NOTHING
)
SELECT id, version, type, source_id, target_id FROM gone";

const DELETE_OF: &str = "WITH gone AS (
    DELETE FROM entities.relationships WHERE source_id = $1 OR target_id = $1 RETURNING *
), old AS (
    INSERT INTO entities.history (org_id, subject, id, version, value, at, actor)
    SELECT org_id, 'entities.relationship', id, version, to_jsonb(gone) - 'org_id', $2, $3 FROM gone
    ON CONFLICT DO NOTHING
)
SELECT id, version, type, source_id, target_id FROM gone";

pub(super) async fn delete_in_tx(
    write: &mut Write,
    actor: Option<UserId>,
    row: &RelationshipRow,
) -> Result<Gone, StoreError> {
    let delete = sqlx::query_as(DELETE_ONE).bind(row.id).bind(write.now()).bind(actor).bind(row.version);
    let gone = write.fetch_optional("relationships.delete", delete).await?;
    gone.ok_or(StoreError::Contention { statement: "relationships.delete" })
}

/// Deletes the relationships that go out from or come in to `entity`.
pub(super) async fn delete_of_in_tx(
    write: &mut Write,
    actor: Option<UserId>,
    entity: EntityId,
) -> Result<Vec<Gone>, StoreError> {
    let delete = sqlx::query_as(DELETE_OF).bind(entity).bind(write.now()).bind(actor);
    write.fetch_all("relationships.delete_of", delete).await
}
