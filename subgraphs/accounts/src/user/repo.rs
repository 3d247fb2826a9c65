//! Statements about users.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::UserId;

use super::EmailAddress;
use super::entity::{CredentialRow, UserRow};
use crate::name::Name;

/// The users with these ids that the caller may see: itself, and with `members` those of its tenant.
pub(super) async fn visible(
    session: &Session,
    ids: &[UserId],
    members: bool,
) -> Result<Vec<UserRow>, StoreError> {
    let sql = if members {
        "SELECT user_id, email, name, email_verified_at, version, created_at FROM accounts.users WHERE user_id = ANY ($1)
         UNION ALL
         SELECT user_id, email, name, NULL, version, created_at FROM accounts.users_of_tenant($1)
          WHERE user_id IS DISTINCT FROM nullif(current_setting('pulse.user_id', true), '')::uuid"
    } else {
        "SELECT user_id, email, name, email_verified_at, version, created_at FROM accounts.users WHERE user_id = ANY ($1)"
    };
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    session.fetch_all("users.visible", sqlx::query_as(sql).bind(ids)).await
}

pub(super) async fn credential(
    session: &Session,
    email: &EmailAddress,
) -> Result<Option<CredentialRow>, StoreError> {
    let sql = "SELECT user_id, password_hash, updated_at FROM accounts.credential_by_email($1)";
    session.fetch_optional("credentials.by_email", sqlx::query_as(sql).bind(email.as_str())).await
}

pub(super) async fn by_email(session: &Session, email: &EmailAddress) -> Result<Option<UserId>, StoreError> {
    let sql = "SELECT user_id FROM accounts.user_by_email($1) AS user_id WHERE user_id IS NOT NULL";
    let row: Option<(UserId,)> =
        session.fetch_optional("users.by_email", sqlx::query_as(sql).bind(email.as_str())).await?;
    Ok(row.map(|(id,)| id))
}

pub(super) async fn insert_in_tx(
    write: &mut Write,
    id: UserId,
    (email, name): (&EmailAddress, &Name),
    password_hash: &str,
) -> Result<UserRow, StoreError> {
    let now = write.now();
    let sql = "INSERT INTO accounts.users (user_id, email, name, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)
               RETURNING user_id, email, name, email_verified_at, version, created_at";
    let insert = sqlx::query_as(sql).bind(id).bind(email.as_str()).bind(name.as_str()).bind(now);
    let row = write.fetch_one("users.insert", insert).await?;
    let sql = "INSERT INTO accounts.credentials (user_id, password_hash, updated_at) VALUES ($1, $2, $3)";
    write.execute("credentials.insert", sqlx::query(sql).bind(id).bind(password_hash).bind(now)).await?;
    Ok(row)
}

/// The same without a password, and with an address that is known to be the person's own.
pub(super) async fn insert_verified_in_tx(
    write: &mut Write,
    id: UserId,
    (email, name): (&EmailAddress, &Name),
) -> Result<UserRow, StoreError> {
    let sql = "INSERT INTO accounts.users (user_id, email, name, email_verified_at, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $4, $4)
               RETURNING user_id, email, name, email_verified_at, version, created_at";
    let now = write.now();
    let insert = sqlx::query_as(sql).bind(id).bind(email.as_str()).bind(name.as_str()).bind(now);
    write.fetch_one("users.insert", insert).await
}

/// What is to change of a user; `None` stays.
#[derive(Debug, Default)]
pub(super) struct UserChange<'a> {
    name: Option<&'a Name>,
    email: Option<&'a EmailAddress>,
    verified_at: Option<DateTime<Utc>>,
    /// Nothing changes if the user has another address.
    if_email: Option<&'a EmailAddress>,
}

impl<'a> UserChange<'a> {
    /// Another name.
    pub(super) fn renamed(name: &'a Name) -> Self {
        Self { name: Some(name), ..Self::default() }
    }

    /// The address is known to be the person's own.
    pub(super) fn verified(at: DateTime<Utc>, email: &'a EmailAddress) -> Self {
        Self { verified_at: Some(at), if_email: Some(email), ..Self::default() }
    }

    /// Another address, which is known to be the person's own.
    pub(super) fn moved(at: DateTime<Utc>, before: &'a EmailAddress, email: &'a EmailAddress) -> Self {
        Self { email: Some(email), verified_at: Some(at), if_email: Some(before), ..Self::default() }
    }
}

/// Writes the change, and what was there before into the history. `None` when there is no such user.
pub(super) async fn update_in_tx(
    write: &mut Write,
    id: UserId,
    change: UserChange<'_>,
) -> Result<Option<UserRow>, StoreError> {
    let UserChange { name, email, verified_at, if_email } = change;
    let update = sqlx::query_as(include_str!("../queries/update_user.sql"))
        .bind(id)
        .bind(name.map(Name::as_str))
        .bind(email.map(EmailAddress::as_str))
        .bind(verified_at)
        .bind(write.now())
        .bind(if_email.map(EmailAddress::as_str));
    write.fetch_optional("users.update", update).await
}

pub(super) async fn set_password_in_tx(
    write: &mut Write,
    user: UserId,
    password_hash: &str,
) -> Result<(), StoreError> {
    // Who came by an issuer has none yet.
    let sql = "INSERT INTO accounts.credentials (user_id, password_hash, updated_at) VALUES ($1, $2, $3)
               ON CONFLICT (user_id) DO UPDATE SET password_hash = $2, updated_at = $3";
    let set = sqlx::query(sql).bind(user).bind(password_hash).bind(write.now());
    write.execute("credentials.set", set).await.map(drop)
}

/// Puts another hash of the password that was set then in place of the old one, unless another one was set since.
pub(super) async fn replace_hash_in_tx(
    write: &mut Write,
    user: UserId,
    set_at: DateTime<Utc>,
    password_hash: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE accounts.credentials SET password_hash = $3 WHERE user_id = $1 AND updated_at = $2";
    let update = sqlx::query(sql).bind(user).bind(set_at).bind(password_hash);
    write.execute("credentials.replace_hash", update).await.map(drop)
}
