//! Statements about passkeys.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{PasskeyId, UserId};
use sqlx::FromRow;

use super::ceremony::Kept;
use crate::name::Name;
use crate::token::TokenHash;

/// How many expired ceremonies are forgotten with each new one.
const FORGOTTEN_AT_ONCE: i64 = 100;

/// A passkey as its person sees it.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct PasskeyRow {
    pub(crate) id: PasskeyId,
    pub(crate) name: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
}

/// What a passkey is verified by.
#[derive(Debug, Clone, FromRow)]
pub(super) struct KeyRow {
    pub(super) id: PasskeyId,
    pub(super) static_state: Vec<u8>,
    pub(super) dynamic_state: Vec<u8>,
}

/// A person's passkeys, in the order of their making. There are few.
pub(super) async fn all(session: &Session, user: UserId) -> Result<Vec<PasskeyRow>, StoreError> {
    let sql =
        "SELECT id, name, created_at, last_used_at FROM accounts.passkeys WHERE user_id = $1 ORDER BY id";
    session.fetch_all("passkeys.all", sqlx::query_as(sql).bind(user)).await
}

/// What authenticators call them.
pub(super) async fn credential_ids(session: &Session, user: UserId) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT credential_id FROM accounts.passkeys WHERE user_id = $1";
    let rows: Vec<(Vec<u8>,)> =
        session.fetch_all("passkeys.credentials", sqlx::query_as(sql).bind(user)).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Keeps a new one; `None` when the person has `most` already.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (user, id): (UserId, PasskeyId),
    (kept, name): (&Kept, &Name),
    most: i64,
) -> Result<Option<PasskeyRow>, StoreError> {
    // Nobody else of the same person's counts meanwhile.
    let lock = sqlx::query("SELECT FROM accounts.users WHERE user_id = $1 FOR NO KEY UPDATE").bind(user);
    write.execute("users.lock", lock).await?;
    let sql = "INSERT INTO accounts.passkeys
                      (user_id, id, credential_id, name, static_state, dynamic_state, created_at)
               SELECT $1, $2, $3, $4, $5, $6, $7
                WHERE (SELECT count(*) FROM accounts.passkeys WHERE user_id = $1) < $8
               RETURNING id, name, created_at, last_used_at";
    let insert = sqlx::query_as(sql)
        .bind(user)
        .bind(id)
        .bind(&kept.credential_id)
        .bind(name.as_str())
        .bind(&kept.static_state)
        .bind(&kept.dynamic_state)
        .bind(write.now())
        .bind(most);
    write.fetch_optional("passkeys.insert", insert).await
}

pub(super) async fn rename_in_tx(
    write: &mut Write,
    (user, id): (UserId, PasskeyId),
    name: &Name,
) -> Result<Option<PasskeyRow>, StoreError> {
    let sql = "UPDATE accounts.passkeys SET name = $3 WHERE user_id = $1 AND id = $2
               RETURNING id, name, created_at, last_used_at";
    let update = sqlx::query_as(sql).bind(user).bind(id).bind(name.as_str());
    write.fetch_optional("passkeys.rename", update).await
}

/// Takes it away; whether there was one.
pub(super) async fn remove_in_tx(
    write: &mut Write,
    (user, id): (UserId, PasskeyId),
) -> Result<bool, StoreError> {
    let remove = sqlx::query("DELETE FROM accounts.passkeys WHERE user_id = $1 AND id = $2");
    Ok(write.execute("passkeys.remove", remove.bind(user).bind(id)).await? == 1)
}

pub(super) async fn has_any_in_tx(write: &mut Write, user: UserId) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM accounts.passkeys WHERE user_id = $1)";
    let (has_any,) = write.fetch_one("passkeys.any", sqlx::query_as(sql).bind(user)).await?;
    Ok(has_any)
}

/// What verifies the passkey, which nobody else uses until this write ends.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    (user, credential_id): (UserId, &[u8]),
) -> Result<Option<KeyRow>, StoreError> {
    let sql = "SELECT id, static_state, dynamic_state FROM accounts.passkeys
                WHERE user_id = $1 AND credential_id = $2 FOR UPDATE";
    let lock = sqlx::query_as(sql).bind(user).bind(credential_id.to_vec());
    write.fetch_optional("passkeys.lock", lock).await
}

pub(super) async fn use_in_tx(
    write: &mut Write,
    (user, id): (UserId, PasskeyId),
    dynamic_state: &[u8],
) -> Result<(), StoreError> {
    let sql =
        "UPDATE accounts.passkeys SET dynamic_state = $3, last_used_at = $4 WHERE user_id = $1 AND id = $2";
    let update = sqlx::query(sql).bind(user).bind(id).bind(dynamic_state.to_vec()).bind(write.now());
    write.execute("passkeys.use", update).await.map(drop)
}

/// Keeps a ceremony that nobody is known in yet, and forgets some whose time is over.
pub(super) async fn insert_ceremony_in_tx(
    write: &mut Write,
    hash: TokenHash,
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM accounts.passkey_ceremonies WHERE hash IN
                      (SELECT hash FROM accounts.passkey_ceremonies WHERE expires_at <= $1
                        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)";
    let forget = sqlx::query(sql).bind(write.now()).bind(FORGOTTEN_AT_ONCE);
    write.execute("passkey_ceremonies.forget", forget).await?;
    let sql = "INSERT INTO accounts.passkey_ceremonies (hash, expires_at) VALUES ($1, $2)";
    let insert = sqlx::query(sql).bind(hash.as_bytes().to_vec()).bind(expires_at);
    write.execute("passkey_ceremonies.insert", insert).await.map(drop)
}

/// Takes the ceremony away; whether it was good.
pub(super) async fn take_ceremony_in_tx(write: &mut Write, hash: TokenHash) -> Result<bool, StoreError> {
    let sql = "DELETE FROM accounts.passkey_ceremonies WHERE hash = $1 AND expires_at > $2";
    let take = sqlx::query(sql).bind(hash.as_bytes().to_vec()).bind(write.now());
    Ok(write.execute("passkey_ceremonies.take", take).await? == 1)
}
