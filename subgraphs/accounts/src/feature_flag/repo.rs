//! Statements about features.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{FeatureFlagId, OrgId, UserId};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use super::evaluate::Rule;

macro_rules! columns {
    () => {
        "f.id, f.key, f.description, f.is_on, f.by_default, f.rules, f.version, f.created_at, f.updated_at"
    };
}

/// A feature that is on for some.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct FlagRow {
    pub(crate) id: FeatureFlagId,
    pub(crate) key: String,
    pub(crate) description: String,
    pub(crate) is_on: bool,
    pub(crate) by_default: bool,
    pub(crate) rules: Json<Vec<Rule>>,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) updated_at: DateTime<Utc>,
}

/// A feature, and who asks for it.
#[derive(Debug, FromRow)]
pub(super) struct AskedRow {
    #[sqlx(flatten)]
    pub(super) flag: FlagRow,
    pub(super) role: Option<String>,
    pub(super) units: Vec<Uuid>,
}

pub(super) async fn all(session: &Session, org: OrgId) -> Result<Vec<FlagRow>, StoreError> {
    let sql =
        concat!("SELECT ", columns!(), " FROM accounts.feature_flags f WHERE f.org_id = $1 ORDER BY f.key");
    session.fetch_all("feature_flags.all", sqlx::query_as(sql).bind(org)).await
}

/// All features, with the role and the units of who asks.
pub(super) async fn asked(
    session: &Session,
    org: OrgId,
    asker: Option<UserId>,
) -> Result<Vec<AskedRow>, StoreError> {
    let sql = concat!(
        "WITH RECURSIVE up AS (
             SELECT u.id, u.parent FROM accounts.unit_members m
               JOIN accounts.units u ON u.org_id = $1 AND u.id = m.unit
              WHERE m.org_id = $1 AND m.user_id = $2
             UNION
             SELECT u.id, u.parent FROM up JOIN accounts.units u ON u.org_id = $1 AND u.id = up.parent
         ), asker AS (
             SELECT (SELECT role FROM accounts.memberships WHERE org_id = $1 AND user_id = $2) AS role,
                    ARRAY(SELECT id FROM up) AS units
         )
         SELECT ",
        columns!(),
        ", asker.role, asker.units FROM accounts.feature_flags f CROSS JOIN asker WHERE f.org_id = $1 ORDER BY f.key"
    );
    session.fetch_all("feature_flags.asked", sqlx::query_as(sql).bind(org).bind(asker)).await
}

pub(super) async fn by_id(
    session: &Session,
    org: OrgId,
    id: FeatureFlagId,
) -> Result<Option<FlagRow>, StoreError> {
    let sql =
        concat!("SELECT ", columns!(), " FROM accounts.feature_flags f WHERE f.org_id = $1 AND f.id = $2");
    session.fetch_optional("feature_flags.by_id", sqlx::query_as(sql).bind(org).bind(id)).await
}

/// Inserts it, unless the tenant has `limit` already.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    row: &FlagRow,
    limit: i64,
) -> Result<bool, StoreError> {
    let sql =
        "INSERT INTO accounts.feature_flags (org_id, id, key, description, is_on, by_default, rules, created_at, updated_at)
               SELECT $1, $2, $3, $4, $5, $6, $7, $8, $8
                WHERE (SELECT count(*) FROM accounts.feature_flags WHERE org_id = $1) < $9";
    let insert = sqlx::query(sql).bind(org).bind(row.id).bind(&row.key).bind(&row.description);
    let insert = insert.bind(row.is_on).bind(row.by_default).bind(&row.rules).bind(row.created_at);
    Ok(write.execute("feature_flags.insert", insert.bind(limit)).await? == 1)
}

pub(super) async fn lock_in_tx(
    write: &mut Write,
    (org, id): (OrgId, FeatureFlagId),
) -> Result<Option<FlagRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM accounts.feature_flags f WHERE f.org_id = $1 AND f.id = $2 FOR UPDATE"
    );
    write.fetch_optional("feature_flags.lock", sqlx::query_as(sql).bind(org).bind(id)).await
}

/// Writes down what it was before it is changed or deleted, without the people whom it names.
pub(super) async fn keep_in_tx(
    write: &mut Write,
    (org, id): (OrgId, FeatureFlagId),
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
               SELECT org_id, 'accounts.feature_flag', id, version,
                      jsonb_build_object('key', key, 'description', description, 'is_on', is_on,
                          'by_default', by_default,
                          'rules', (SELECT coalesce(jsonb_agg(rule - 'users'), '[]') FROM jsonb_array_elements(rules) AS rule)),
                      $3, $4
                 FROM accounts.feature_flags WHERE org_id = $1 AND id = $2";
    let now = write.now();
    let keep = sqlx::query(sql).bind(org).bind(id).bind(now).bind(actor);
    write.execute("history.insert", keep).await.map(drop)
}

pub(super) async fn update_in_tx(
    write: &mut Write,
    org: OrgId,
    row: &FlagRow,
) -> Result<FlagRow, StoreError> {
    let sql = concat!(
        "UPDATE accounts.feature_flags f
            SET description = $3, is_on = $4, by_default = $5, rules = $6, version = version + 1, updated_at = $7
          WHERE f.org_id = $1 AND f.id = $2 RETURNING ",
        columns!()
    );
    let now = write.now();
    let update = sqlx::query_as(sql).bind(org).bind(row.id).bind(&row.description).bind(row.is_on);
    write.fetch_one("feature_flags.update", update.bind(row.by_default).bind(&row.rules).bind(now)).await
}

pub(super) async fn delete_in_tx(
    write: &mut Write,
    (org, id): (OrgId, FeatureFlagId),
) -> Result<(), StoreError> {
    let delete = sqlx::query("DELETE FROM accounts.feature_flags WHERE org_id = $1 AND id = $2");
    write.execute("feature_flags.delete", delete.bind(org).bind(id)).await.map(drop)
}
