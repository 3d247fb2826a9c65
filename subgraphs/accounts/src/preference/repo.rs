//! Statements about preferences. The database shows a person their own.

use pulse_store::{Session, StoreError, Write};
use pulse_types::UserId;
use sqlx::types::Json;

use super::entity::PreferencesRow;

pub(super) async fn all(session: &Session, user: UserId) -> Result<Vec<PreferencesRow>, StoreError> {
    let sql = "SELECT namespace, value, version, updated_at FROM accounts.preferences
                WHERE user_id = $1 AND version > 0 AND (namespace = '' OR value <> '{}') ORDER BY namespace";
    session.fetch_all("preferences.all", sqlx::query_as(sql).bind(user)).await
}

/// One namespace, which nobody else changes until this write ends; version 0 where there was none.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    user: UserId,
    namespace: &str,
) -> Result<PreferencesRow, StoreError> {
    // One after the other: there may be so many namespaces.
    let lock = sqlx::query("SELECT FROM accounts.users WHERE user_id = $1 FOR NO KEY UPDATE");
    write.execute("users.lock", lock.bind(user)).await?;
    let now = write.now();
    let sql = "INSERT INTO accounts.preferences (user_id, namespace, value, version, updated_at)
               VALUES ($1, $2, '{}', 0, $3) ON CONFLICT DO NOTHING";
    let insert = sqlx::query(sql).bind(user).bind(namespace).bind(now);
    write.execute("preferences.begin", insert).await?;
    let sql = "SELECT namespace, value, version, updated_at FROM accounts.preferences
                WHERE user_id = $1 AND namespace = $2 FOR UPDATE";
    write.fetch_one("preferences.lock", sqlx::query_as(sql).bind(user).bind(namespace)).await
}

/// In how many namespaces clients keep something.
pub(super) async fn count_in_tx(write: &mut Write, user: UserId) -> Result<i64, StoreError> {
    let sql =
        "SELECT count(*) FROM accounts.preferences WHERE user_id = $1 AND namespace <> '' AND value <> '{}'";
    let (count,) = write.fetch_one("preferences.count", sqlx::query_as(sql).bind(user)).await?;
    Ok(count)
}

pub(super) async fn put_in_tx(
    write: &mut Write,
    user: UserId,
    namespace: &str,
    value: serde_json::Value,
) -> Result<PreferencesRow, StoreError> {
    let sql = "UPDATE accounts.preferences SET value = $3, version = version + 1, updated_at = $4
                WHERE user_id = $1 AND namespace = $2 RETURNING namespace, value, version, updated_at";
    let now = write.now();
    let update = sqlx::query_as(sql).bind(user).bind(namespace).bind(Json(value)).bind(now);
    write.fetch_one("preferences.put", update).await
}

/// Empties it, under a version behind all that were read; `None` where nothing was kept.
pub(super) async fn clear_in_tx(
    write: &mut Write,
    user: UserId,
    namespace: &str,
) -> Result<Option<PreferencesRow>, StoreError> {
    let sql = "UPDATE accounts.preferences SET value = '{}', version = version + 1, updated_at = $3
                WHERE user_id = $1 AND namespace = $2 AND value <> '{}'
               RETURNING namespace, value, version, updated_at";
    let update = sqlx::query_as(sql).bind(user).bind(namespace).bind(write.now());
    write.fetch_optional("preferences.clear", update).await
}
