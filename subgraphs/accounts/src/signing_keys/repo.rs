//! Statements about signing keys.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use sqlx::FromRow;

/// A key, as stored.
#[derive(Debug, Clone, FromRow)]
pub(super) struct KeyRow {
    pub(super) kid: String,
    pub(super) public_key: String,
    /// Sealed.
    pub(super) seed: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) active_from: DateTime<Utc>,
}

const ALL: &str = "SELECT kid, public_key, seed, created_at, active_from FROM accounts.signing_keys
                    ORDER BY active_from, kid";

/// All keys, in the order of becoming active.
pub(super) async fn all(nobody: &Session) -> Result<Vec<KeyRow>, StoreError> {
    nobody.fetch_all("signing_keys.all", sqlx::query_as(ALL)).await
}

/// The same, which nobody else changes until this write ends.
pub(super) async fn lock_in_tx(write: &mut Write) -> Result<Vec<KeyRow>, StoreError> {
    let lock = sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended('accounts.signing_keys', 0))");
    write.execute("signing_keys.lock", lock).await?;
    write.fetch_all("signing_keys.all", sqlx::query_as(ALL)).await
}

pub(super) async fn insert_in_tx(write: &mut Write, row: &KeyRow) -> Result<(), StoreError> {
    let KeyRow { kid, public_key, seed, created_at, active_from } = row;
    let sql = "INSERT INTO accounts.signing_keys (kid, public_key, seed, created_at, active_from)
               VALUES ($1, $2, $3, $4, $5)";
    let insert = sqlx::query(sql).bind(kid).bind(public_key).bind(seed).bind(created_at).bind(active_from);
    write.execute("signing_keys.insert", insert).await.map(drop)
}

pub(super) async fn remove_in_tx(write: &mut Write, kids: &[&str]) -> Result<(), StoreError> {
    if kids.is_empty() {
        return Ok(());
    }
    let remove = sqlx::query("DELETE FROM accounts.signing_keys WHERE kid = ANY ($1)").bind(kids);
    write.execute("signing_keys.remove", remove).await.map(drop)
}

/// The same key, sealed anew.
pub(super) async fn reseal_in_tx(write: &mut Write, kid: &str, seed: &str) -> Result<(), StoreError> {
    let update =
        sqlx::query("UPDATE accounts.signing_keys SET seed = $2 WHERE kid = $1").bind(kid).bind(seed);
    write.execute("signing_keys.reseal", update).await.map(drop)
}
