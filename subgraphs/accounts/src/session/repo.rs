//! Statements about sessions and their refresh tokens.

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::{Error, Page, PageError};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, Origin, SessionId, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::{EndReason, SessionRow, TokenRow};
use crate::token::TokenHash;

/// Whose refresh token this is.
pub(super) async fn token_user(session: &Session, hash: TokenHash) -> Result<Option<UserId>, StoreError> {
    let sql = "SELECT user_id FROM accounts.refresh_token_user($1) AS user_id WHERE user_id IS NOT NULL";
    let find = sqlx::query_as(sql).bind(hash.as_bytes().to_vec());
    let row: Option<(UserId,)> = session.fetch_optional("refresh_tokens.user", find).await?;
    Ok(row.map(|(user,)| user))
}

/// `false` for somebody who is about to be erased.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (user, id): (UserId, SessionId),
    organization: Option<OrgId>,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO accounts.sessions (user_id, id, organization, created_at)
               SELECT user_id, $2, $3, $4 FROM accounts.users WHERE user_id = $1 AND erasing_at IS NULL FOR SHARE";
    let insert = sqlx::query(sql).bind(user).bind(id).bind(organization).bind(write.now());
    Ok(write.execute("sessions.insert", insert).await? == 1)
}

pub(super) async fn insert_token_in_tx(
    write: &mut Write,
    (user, session): (UserId, SessionId),
    hash: TokenHash,
    lifetime: TimeDelta,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts.refresh_tokens (user_id, hash, session_id, created_at, expires_at)
               VALUES ($1, $2, $3, $4, $5)";
    let (now, hash) = (write.now(), hash.as_bytes().to_vec());
    let insert = sqlx::query(sql).bind(user).bind(hash).bind(session).bind(now).bind(now + lifetime);
    write.execute("refresh_tokens.insert", insert).await.map(drop)
}

/// The token and its session, which nobody else can exchange or end until this write ends.
pub(super) async fn lock_token_in_tx(
    write: &mut Write,
    user: UserId,
    hash: TokenHash,
) -> Result<Option<TokenRow>, StoreError> {
    let sql = "SELECT t.session_id, s.organization, t.expires_at, t.rotated_at, s.ended_at
                 FROM accounts.refresh_tokens t
                 JOIN accounts.sessions s ON s.user_id = t.user_id AND s.id = t.session_id
                WHERE t.user_id = $1 AND t.hash = $2
                  FOR NO KEY UPDATE OF t, s";
    let lock = sqlx::query_as(sql).bind(user).bind(hash.as_bytes().to_vec());
    write.fetch_optional("refresh_tokens.lock", lock).await
}

/// Marks the token as exchanged, and forgets those of its session whose time is over.
pub(super) async fn rotate_in_tx(
    write: &mut Write,
    (user, session): (UserId, SessionId),
    hash: TokenHash,
) -> Result<(), StoreError> {
    let now: DateTime<Utc> = write.now();
    let sql = "UPDATE accounts.refresh_tokens SET rotated_at = $3 WHERE user_id = $1 AND hash = $2";
    let update = sqlx::query(sql).bind(user).bind(hash.as_bytes().to_vec()).bind(now);
    write.execute("refresh_tokens.rotate", update).await?;
    let sql =
        "DELETE FROM accounts.refresh_tokens WHERE user_id = $1 AND session_id = $2 AND expires_at < $3";
    write
        .execute("refresh_tokens.forget", sqlx::query(sql).bind(user).bind(session).bind(now))
        .await
        .map(drop)
}

/// Lets the session act in another organization; `false` when it has ended.
pub(super) async fn switch_in_tx(
    write: &mut Write,
    (user, session): (UserId, SessionId),
    organization: OrgId,
) -> Result<bool, StoreError> {
    let sql =
        "UPDATE accounts.sessions SET organization = $3 WHERE user_id = $1 AND id = $2 AND ended_at IS NULL";
    let update = sqlx::query(sql).bind(user).bind(session).bind(organization);
    Ok(write.execute("sessions.switch", update).await? == 1)
}

/// Ends the session; `false` when it has ended before.
pub(super) async fn end_in_tx(
    write: &mut Write,
    (user, session): (UserId, SessionId),
    reason: EndReason,
) -> Result<bool, StoreError> {
    let sql = "UPDATE accounts.sessions SET ended_at = $3, end_reason = $4
                WHERE user_id = $1 AND id = $2 AND ended_at IS NULL";
    let update = sqlx::query(sql).bind(user).bind(session).bind(write.now()).bind(reason.as_str());
    Ok(write.execute("sessions.end", update).await? == 1)
}

/// Ends every session of the person but `goes_on`; which.
pub(super) async fn end_all_in_tx(
    write: &mut Write,
    user: UserId,
    goes_on: Option<SessionId>,
    reason: EndReason,
) -> Result<Vec<SessionId>, StoreError> {
    let sql = "UPDATE accounts.sessions SET ended_at = $3, end_reason = $4
                WHERE user_id = $1 AND id IS DISTINCT FROM $2 AND ended_at IS NULL RETURNING id";
    let update = sqlx::query_as(sql).bind(user).bind(goes_on).bind(write.now()).bind(reason.as_str());
    let rows: Vec<(SessionId,)> = write.fetch_all("sessions.end_all", update).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// Writes down that and from where the session is used.
pub(super) async fn use_in_tx(
    write: &mut Write,
    (user, session): (UserId, SessionId),
    origin: Option<&Origin>,
) -> Result<(), StoreError> {
    let sql = "UPDATE accounts.sessions SET last_used_at = $3, user_agent = $4, address = $5
                WHERE user_id = $1 AND id = $2";
    let update = sqlx::query(sql)
        .bind(user)
        .bind(session)
        .bind(write.now())
        .bind(origin.and_then(|origin| origin.user_agent.as_deref()))
        .bind(origin.and_then(|origin| origin.address).map(|address| address.to_string()));
    write.execute("sessions.use", update).await.map(drop)
}

/// Sessions that have not ended and were used since, in the order of their making.
pub(super) async fn page(
    session: &Session,
    user: UserId,
    used_since: DateTime<Utc>,
    page: &Page,
) -> Result<Vec<SessionRow>, Error<PageError>> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT id, organization, created_at, last_used_at, user_agent, address FROM accounts.sessions
          WHERE ended_at IS NULL AND user_id = ",
    );
    query.push_bind(user).push(" AND coalesce(last_used_at, created_at) > ").push_bind(used_since);
    if let Some(cursor) = &page.from {
        let (id,): (SessionId,) = cursor.values()?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(session.fetch_all("sessions.page", query.build_query_as()).await?)
}

pub(super) async fn count(
    session: &Session,
    user: UserId,
    used_since: DateTime<Utc>,
) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM accounts.sessions
                WHERE ended_at IS NULL AND user_id = $1 AND coalesce(last_used_at, created_at) > $2";
    let (count,) =
        session.fetch_one("sessions.count", sqlx::query_as(sql).bind(user).bind(used_since)).await?;
    Ok(count)
}

/// The session, which nobody else changes until this write ends: whether it has ended.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    (user, session): (UserId, SessionId),
) -> Result<Option<bool>, StoreError> {
    let sql = "SELECT ended_at IS NOT NULL FROM accounts.sessions WHERE user_id = $1 AND id = $2
                  FOR NO KEY UPDATE";
    let lock = sqlx::query_as(sql).bind(user).bind(session);
    let row: Option<(bool,)> = write.fetch_optional("sessions.lock", lock).await?;
    Ok(row.map(|(has_ended,)| has_ended))
}
