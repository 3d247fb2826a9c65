//! Statements about throttles. Keys are always in order.

use chrono::{DateTime, TimeDelta, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::UserId;

/// Failures with so much time between have nothing to do with each other.
const FORGOTTEN_AFTER: TimeDelta = TimeDelta::days(1);

pub(super) async fn was_signed_in_from(
    nobody: &Session,
    login: &str,
    address: &str,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let find = sqlx::query_as("SELECT accounts.was_signed_in_from($1, $2, $3)");
    let (known,) = nobody.fetch_one("sessions.from", find.bind(login).bind(address).bind(since)).await?;
    Ok(known)
}

/// Whether the person, as whom the session acts, was signed in from there.
pub(super) async fn is_known_at(
    person: &Session,
    user: UserId,
    address: &str,
    since: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM accounts.sessions
                               WHERE user_id = $1 AND address = $2 COLLATE \"C\" AND last_used_at > $3)";
    let find = sqlx::query_as(sql).bind(user).bind(address).bind(since);
    let (known,) = person.fetch_one("sessions.known_at", find).await?;
    Ok(known)
}

/// Until when the longest of them blocks.
pub(super) async fn blocked_until(
    session: &Session,
    keys: &[Vec<u8>],
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let find = sqlx::query_as("SELECT max(blocked_until) FROM accounts.throttles WHERE key = ANY ($1)");
    let (until,) = session.fetch_one("throttles.find", find.bind(keys)).await?;
    Ok(until)
}

/// The same; what is there, nobody else counts until this write ends.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    keys: &[Vec<u8>],
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let sql = "SELECT blocked_until FROM accounts.throttles WHERE key = ANY ($1) ORDER BY key FOR UPDATE";
    let rows: Vec<(DateTime<Utc>,)> =
        write.fetch_all("throttles.lock", sqlx::query_as(sql).bind(keys)).await?;
    Ok(rows.into_iter().map(|(until,)| until).max())
}

/// Counts one failure more of each; how many there are.
pub(super) async fn count_in_tx(
    write: &mut Write,
    keys: &[Vec<u8>],
) -> Result<Vec<(Vec<u8>, i32)>, StoreError> {
    let sql = "INSERT INTO accounts.throttles AS t (key, failures, last_failed_at, blocked_until)
               SELECT key, 1, $2, $2 FROM unnest($1::bytea[]) AS counted (key) ORDER BY key
               ON CONFLICT (key) DO UPDATE
                  SET failures = CASE WHEN t.last_failed_at < $3 THEN 1 ELSE least(t.failures, 1000000) + 1 END,
                      last_failed_at = $2
               RETURNING key, failures";
    let now = write.now();
    let count = sqlx::query_as(sql).bind(keys).bind(now).bind(now - FORGOTTEN_AFTER);
    write.fetch_all("throttles.count", count).await
}

pub(super) async fn block_in_tx(
    write: &mut Write,
    keys: &[Vec<u8>],
    until: &[DateTime<Utc>],
) -> Result<(), StoreError> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE accounts.throttles AS t SET blocked_until = b.until
                 FROM unnest($1::bytea[], $2::timestamptz[]) AS b (key, until) WHERE t.key = b.key";
    write.execute("throttles.block", sqlx::query(sql).bind(keys).bind(until)).await.map(drop)
}

pub(super) async fn forget_in_tx(write: &mut Write, key: &[u8]) -> Result<(), StoreError> {
    let forget = sqlx::query("DELETE FROM accounts.throttles WHERE key = $1").bind(key.to_vec());
    write.execute("throttles.forget", forget).await.map(drop)
}
