//! Statements about second factors.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::UserId;
use sqlx::FromRow;

/// An app's secret, as stored.
#[derive(Debug, FromRow)]
pub(super) struct TotpRow {
    pub(super) secret: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) confirmed_at: Option<DateTime<Utc>>,
    pub(super) last_step: i64,
}

/// What a person may see of its second factor.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct FactorRow {
    pub(crate) confirmed_at: DateTime<Utc>,
    pub(crate) recovery_codes: i64,
}

pub(super) async fn find(session: &Session, user: UserId) -> Result<Option<FactorRow>, StoreError> {
    let sql = "SELECT confirmed_at,
                      (SELECT count(*) FROM accounts.recovery_codes r WHERE r.user_id = f.user_id) AS recovery_codes
                 FROM accounts.totp_factors f WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    session.fetch_optional("totp_factors.find", sqlx::query_as(sql).bind(user)).await
}

/// Whether a code is asked of the person.
pub(super) async fn is_on_in_tx(write: &mut Write, user: UserId) -> Result<bool, StoreError> {
    let sql =
        "SELECT EXISTS (SELECT FROM accounts.totp_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL)";
    let (is_on,) = write.fetch_one("totp_factors.is_on", sqlx::query_as(sql).bind(user)).await?;
    Ok(is_on)
}

/// Keeps a new secret that is not confirmed yet; `false` when there is one that is.
pub(super) async fn put_in_tx(write: &mut Write, user: UserId, sealed: &str) -> Result<bool, StoreError> {
    let sql = "INSERT INTO accounts.totp_factors AS f (user_id, secret, created_at) VALUES ($1, $2, $3)
               ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_at = excluded.created_at
                WHERE f.confirmed_at IS NULL";
    let put = sqlx::query(sql).bind(user).bind(sealed).bind(write.now());
    Ok(write.execute("totp_factors.put", put).await? == 1)
}

/// The secret, which nobody else uses until this write ends.
pub(super) async fn lock_in_tx(write: &mut Write, user: UserId) -> Result<Option<TotpRow>, StoreError> {
    let sql = "SELECT secret, created_at, confirmed_at, last_step FROM accounts.totp_factors
                WHERE user_id = $1 FOR UPDATE";
    write.fetch_optional("totp_factors.lock", sqlx::query_as(sql).bind(user)).await
}

/// A code of this step was used; the first one confirms the app.
pub(super) async fn use_in_tx(write: &mut Write, user: UserId, step: i64) -> Result<(), StoreError> {
    let sql = "UPDATE accounts.totp_factors SET last_step = $2, confirmed_at = coalesce(confirmed_at, $3)
                WHERE user_id = $1";
    let update = sqlx::query(sql).bind(user).bind(step).bind(write.now());
    write.execute("totp_factors.use", update).await.map(drop)
}

pub(super) async fn remove_in_tx(write: &mut Write, user: UserId) -> Result<(), StoreError> {
    let remove = sqlx::query("DELETE FROM accounts.totp_factors WHERE user_id = $1").bind(user);
    write.execute("totp_factors.remove", remove).await.map(drop)
}

/// Puts these codes in the place of all that there are.
pub(super) async fn put_recovery_codes_in_tx(
    write: &mut Write,
    user: UserId,
    hashes: &[Vec<u8>],
) -> Result<(), StoreError> {
    let forget = sqlx::query("DELETE FROM accounts.recovery_codes WHERE user_id = $1").bind(user);
    write.execute("recovery_codes.forget", forget).await?;
    let sql = "INSERT INTO accounts.recovery_codes (user_id, hash, created_at)
               SELECT $1, hash, $3 FROM unnest($2::bytea[]) AS made (hash)";
    let put = sqlx::query(sql).bind(user).bind(hashes).bind(write.now());
    write.execute("recovery_codes.put", put).await.map(drop)
}

/// Takes the code away; whether there was one.
pub(super) async fn take_recovery_code_in_tx(
    write: &mut Write,
    user: UserId,
    hash: &[u8],
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM accounts.recovery_codes WHERE user_id = $1 AND hash = $2";
    Ok(write.execute("recovery_codes.take", sqlx::query(sql).bind(user).bind(hash.to_vec())).await? == 1)
}
