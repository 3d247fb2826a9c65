//! Statements about one-time tokens.

use chrono::TimeDelta;
use pulse_store::{Session, StoreError, Write};
use pulse_types::UserId;

use super::Purpose;
use crate::token::TokenHash;
use crate::user::EmailAddress;

/// Whose token this is.
pub(super) async fn user(nobody: &Session, hash: TokenHash) -> Result<Option<UserId>, StoreError> {
    let sql = "SELECT user_id FROM accounts.one_time_token_user($1) AS user_id WHERE user_id IS NOT NULL";
    let find = sqlx::query_as(sql).bind(hash.as_bytes().to_vec());
    let row: Option<(UserId,)> = nobody.fetch_optional("one_time_tokens.user", find).await?;
    Ok(row.map(|(user,)| user))
}

pub(super) async fn put_in_tx(
    write: &mut Write,
    (user, purpose): (UserId, Purpose),
    (hash, address): (TokenHash, &EmailAddress),
    lifetime: TimeDelta,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts.one_time_tokens (user_id, purpose, hash, address, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (user_id, purpose) DO UPDATE
                  SET hash = excluded.hash, address = excluded.address, created_at = excluded.created_at,
                      expires_at = excluded.expires_at";
    let now = write.now();
    let put = sqlx::query(sql).bind(user).bind(purpose.as_str()).bind(hash.as_bytes().to_vec());
    let put = put.bind(address.as_str()).bind(now).bind(now + lifetime);
    write.execute("one_time_tokens.put", put).await.map(drop)
}

/// Where the token was sent, if it is good.
pub(super) async fn address(
    person: &Session,
    (user, purpose): (UserId, Purpose),
    hash: TokenHash,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT address FROM accounts.one_time_tokens
                WHERE user_id = $1 AND purpose = $2 AND hash = $3 AND expires_at > $4";
    let find = sqlx::query_as(sql).bind(user).bind(purpose.as_str()).bind(hash.as_bytes().to_vec());
    let find = find.bind(person.store().clock().now());
    let row: Option<(String,)> = person.fetch_optional("one_time_tokens.find", find).await?;
    Ok(row.map(|(address,)| address))
}

/// Takes the token away; whether it was good.
pub(super) async fn take_in_tx(
    write: &mut Write,
    (user, purpose): (UserId, Purpose),
    hash: TokenHash,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM accounts.one_time_tokens
                WHERE user_id = $1 AND purpose = $2 AND hash = $3 AND expires_at > $4";
    let now = write.now();
    let take = sqlx::query(sql).bind(user).bind(purpose.as_str()).bind(hash.as_bytes().to_vec());
    Ok(write.execute("one_time_tokens.take", take.bind(now)).await? == 1)
}

pub(super) async fn forget_in_tx(write: &mut Write, user: UserId) -> Result<(), StoreError> {
    let forget = sqlx::query("DELETE FROM accounts.one_time_tokens WHERE user_id = $1").bind(user);
    write.execute("one_time_tokens.forget", forget).await.map(drop)
}
