//! Statements about challenges: who has shown the first of two factors.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{IdentityId, OrgId, UserId};
use sqlx::FromRow;

use super::VouchedBy;
use crate::token::TokenHash;

/// A challenge that is good.
#[derive(Debug, FromRow)]
pub(super) struct ChallengeRow {
    pub(super) organization: Option<OrgId>,
    identity_id: Option<IdentityId>,
    provider: Option<String>,
    confined_to: Option<OrgId>,
}

impl ChallengeRow {
    /// The issuer that was the first factor, if one was.
    pub(super) fn vouched_by(&self) -> Option<VouchedBy<'_>> {
        let (identity, provider) = self.identity_id.zip(self.provider.as_deref())?;
        Some(VouchedBy { identity, provider, confined_to: self.confined_to })
    }
}

/// Whose challenge this is.
pub(super) async fn user(nobody: &Session, hash: TokenHash) -> Result<Option<UserId>, StoreError> {
    let sql = "SELECT user_id FROM accounts.sign_in_challenge_user($1) AS user_id WHERE user_id IS NOT NULL";
    let find = sqlx::query_as(sql).bind(hash.as_bytes().to_vec());
    let row: Option<(UserId,)> = nobody.fetch_optional("sign_in_challenges.user", find).await?;
    Ok(row.map(|(user,)| user))
}

/// Keeps a new one, and forgets those of the person whose time is over.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (user, hash): (UserId, TokenHash),
    (organization, by): (Option<OrgId>, Option<&VouchedBy<'_>>),
    expires_at: DateTime<Utc>,
) -> Result<(), StoreError> {
    let now = write.now();
    let sql = "DELETE FROM accounts.sign_in_challenges WHERE user_id = $1 AND expires_at <= $2";
    write.execute("sign_in_challenges.expire", sqlx::query(sql).bind(user).bind(now)).await?;
    let sql = "INSERT INTO accounts.sign_in_challenges (user_id, hash, organization, created_at, expires_at, identity_id,
                   provider, confined_to) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let insert = sqlx::query(sql).bind(user).bind(hash.as_bytes().to_vec()).bind(organization);
    let insert = insert.bind(now).bind(expires_at);
    let insert = insert.bind(by.map(|by| by.identity)).bind(by.map(|by| by.provider));
    let insert = insert.bind(by.and_then(|by| by.confined_to));
    write.execute("sign_in_challenges.insert", insert).await.map(drop)
}

/// The challenge if it is good, which nobody else answers until this write ends.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    (user, hash): (UserId, TokenHash),
) -> Result<Option<ChallengeRow>, StoreError> {
    let sql = "SELECT organization, identity_id, provider, confined_to FROM accounts.sign_in_challenges
                WHERE user_id = $1 AND hash = $2 AND expires_at > $3 FOR UPDATE";
    let lock = sqlx::query_as(sql).bind(user).bind(hash.as_bytes().to_vec()).bind(write.now());
    write.fetch_optional("sign_in_challenges.lock", lock).await
}

/// Counts a wrong answer; how many there were.
pub(super) async fn failed_in_tx(
    write: &mut Write,
    (user, hash): (UserId, TokenHash),
) -> Result<i32, StoreError> {
    let sql = "UPDATE accounts.sign_in_challenges SET failures = failures + 1
                WHERE user_id = $1 AND hash = $2 RETURNING failures";
    let count = sqlx::query_as(sql).bind(user).bind(hash.as_bytes().to_vec());
    let (failures,) = write.fetch_one("sign_in_challenges.fail", count).await?;
    Ok(failures)
}

pub(super) async fn remove_in_tx(
    write: &mut Write,
    (user, hash): (UserId, TokenHash),
) -> Result<(), StoreError> {
    let sql = "DELETE FROM accounts.sign_in_challenges WHERE user_id = $1 AND hash = $2";
    let remove = sqlx::query(sql).bind(user).bind(hash.as_bytes().to_vec());
    write.execute("sign_in_challenges.remove", remove).await.map(drop)
}

/// Makes every challenge of the person worthless: what was shown for it may be so no more.
pub(super) async fn forget_in_tx(write: &mut Write, user: UserId) -> Result<(), StoreError> {
    let forget = sqlx::query("DELETE FROM accounts.sign_in_challenges WHERE user_id = $1").bind(user);
    write.execute("sign_in_challenges.forget", forget).await.map(drop)
}
