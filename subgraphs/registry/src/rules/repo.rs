//! Rows of `registry.environments`.

use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, SchemaEnvironmentId, Tag, UserId};
use sqlx::types::Json;

use super::{Rules, RulesRow, SUBJECT};

macro_rules! columns {
    () => {
        "id, window_days, min_requests, min_share, excluded_clients, excluded_operations, lint, version, updated_at"
    };
}

macro_rules! select {
    ($tail:literal) => {
        concat!("SELECT ", columns!(), " FROM registry.environments WHERE name = $1", $tail)
    };
}

pub(crate) async fn find(session: &Session, environment: &str) -> Result<Option<RulesRow>, StoreError> {
    session.tag(|| Tag::list(SUBJECT).with("environment", environment));
    session.fetch_optional("environments.find", sqlx::query_as(select!("")).bind(environment)).await
}

/// The row, which no other write changes until this one ends.
pub(crate) async fn lock_in_tx(write: &mut Write, environment: &str) -> Result<Option<RulesRow>, StoreError> {
    let query = sqlx::query_as(select!(" FOR UPDATE")).bind(environment);
    write.fetch_optional("environments.lock", query).await
}

/// Keeps the row as it is in the history, before it changes.
pub(crate) async fn keep_in_tx(
    write: &mut Write,
    id: SchemaEnvironmentId,
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO registry.history (org_id, subject, id, version, value, at, actor)
         SELECT org_id, 'registry.environment', id, version, to_jsonb(e) - 'org_id', $2, $3
           FROM registry.environments AS e WHERE id = $1",
    );
    let query = query.bind(id).bind(write.now()).bind(actor);
    write.execute("environments.keep", query).await.map(drop)
}

/// Writes them, unless the tenant has rules for `limit` environments already.
pub(crate) async fn upsert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, SchemaEnvironmentId),
    environment: &str,
    rules: &Rules,
    limit: i64,
) -> Result<Option<RulesRow>, StoreError> {
    let now = write.now();
    let sql = concat!(
        "INSERT INTO registry.environments AS e (org_id, id, name, window_days, min_requests, min_share, excluded_clients,
             excluded_operations, lint, version, created_at, updated_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10
          WHERE (SELECT count(*) FROM registry.environments WHERE name <> $3) < $11
         ON CONFLICT (org_id, name) DO UPDATE
            SET window_days = excluded.window_days, min_requests = excluded.min_requests, min_share = excluded.min_share,
                excluded_clients = excluded.excluded_clients, excluded_operations = excluded.excluded_operations,
                lint = excluded.lint, version = e.version + 1, updated_at = excluded.updated_at
         RETURNING ",
        columns!()
    );
    let query = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(environment)
        .bind(rules.window_days)
        .bind(rules.min_requests)
        .bind(rules.min_share)
        .bind(&rules.excluded_clients)
        .bind(&rules.excluded_operations)
        .bind(Json(&rules.style))
        .bind(now)
        .bind(limit);
    write.fetch_optional("environments.upsert", query).await
}
