//! Statements about users.

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
        "SELECT user_id, email, name, version, created_at FROM accounts.users WHERE user_id = ANY ($1)
         UNION
         SELECT user_id, email, name, version, created_at FROM accounts.users_of_tenant($1)"
    } else {
        "SELECT user_id, email, name, version, created_at FROM accounts.users WHERE user_id = ANY ($1)"
    };
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    session.fetch_all("users.visible", sqlx::query_as(sql).bind(ids)).await
}

pub(super) async fn credential(
    session: &Session,
    email: &EmailAddress,
) -> Result<Option<CredentialRow>, StoreError> {
    let sql = "SELECT user_id, password_hash FROM accounts.credential_by_email($1)";
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
               RETURNING user_id, email, name, version, created_at";
    let insert = sqlx::query_as(sql).bind(id).bind(email.as_str()).bind(name.as_str()).bind(now);
    let row = write.fetch_one("users.insert", insert).await?;
    let sql = "INSERT INTO accounts.credentials (user_id, password_hash, updated_at) VALUES ($1, $2, $3)";
    write.execute("credentials.insert", sqlx::query(sql).bind(id).bind(password_hash).bind(now)).await?;
    Ok(row)
}

/// Writes the name, and what was there before into the history. `None` when there is no such user.
pub(super) async fn rename_in_tx(
    write: &mut Write,
    id: UserId,
    name: &Name,
) -> Result<Option<UserRow>, StoreError> {
    let sql = include_str!("../queries/rename_user.sql");
    let update = sqlx::query_as(sql).bind(id).bind(name.as_str()).bind(write.now());
    write.fetch_optional("users.rename", update).await
}
