//! Statements about identities.

use pulse_store::{Session, StoreError, Write};
use pulse_types::{IdentityId, UserId};
use uuid::Uuid;

use super::entity::IdentityRow;

macro_rules! columns {
    () => {
        "id, scope, issuer, email, linked_at, last_used_at"
    };
}

/// What an issuer calls somebody: whose issuer it is, the issuer, and the name.
pub(super) type Named<'a> = (Uuid, &'a str, &'a str);

/// Who is called so.
pub(super) async fn user(
    nobody: &Session,
    (scope, issuer, subject): Named<'_>,
) -> Result<Option<UserId>, StoreError> {
    let sql = "SELECT user_id FROM accounts.identity_user($1, $2, $3) AS user_id WHERE user_id IS NOT NULL";
    let find = sqlx::query_as(sql).bind(scope).bind(issuer).bind(subject);
    let row: Option<(UserId,)> = nobody.fetch_optional("identities.user", find).await?;
    Ok(row.map(|(user,)| user))
}

/// The person's identities, in the order of linking.
pub(super) async fn all(person: &Session, user: UserId) -> Result<Vec<IdentityRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM accounts.identities WHERE user_id = $1 ORDER BY id");
    person.fetch_all("identities.all", sqlx::query_as(sql).bind(user)).await
}

/// Inserts it, unless the person has `limit` already.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (user, id): (UserId, IdentityId),
    (scope, issuer, subject): Named<'_>,
    email: Option<&str>,
    limit: u32,
) -> Result<Option<IdentityRow>, StoreError> {
    let sql = concat!(
        "INSERT INTO accounts.identities (user_id, id, scope, issuer, subject, email, linked_at, last_used_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $7
          WHERE (SELECT count(*) FROM accounts.identities WHERE user_id = $1) < $8 RETURNING ",
        columns!()
    );
    let insert = sqlx::query_as(sql)
        .bind(user)
        .bind(id)
        .bind(scope)
        .bind(issuer)
        .bind(subject)
        .bind(email)
        .bind(write.now())
        .bind(i64::from(limit));
    write.fetch_optional("identities.insert", insert).await
}

/// Writes down that it is used, and by which address; `None` when it was unlinked meanwhile.
pub(super) async fn use_in_tx(
    write: &mut Write,
    user: UserId,
    (scope, issuer, subject): Named<'_>,
    email: Option<&str>,
) -> Result<Option<IdentityRow>, StoreError> {
    let sql = concat!(
        "UPDATE accounts.identities SET last_used_at = $5, email = $6
          WHERE user_id = $1 AND scope = $2 AND issuer = $3 COLLATE \"C\" AND subject = $4 COLLATE \"C\" RETURNING ",
        columns!()
    );
    let now = write.now();
    let update = sqlx::query_as(sql).bind(user).bind(scope).bind(issuer).bind(subject).bind(now).bind(email);
    write.fetch_optional("identities.use", update).await
}

/// Every other way in that the person has: a password, or another identity. Nobody else changes the person meanwhile.
pub(super) async fn other_way_in_exists_in_tx(
    write: &mut Write,
    (user, id): (UserId, IdentityId),
) -> Result<bool, StoreError> {
    let lock = sqlx::query("SELECT FROM accounts.users WHERE user_id = $1 FOR NO KEY UPDATE").bind(user);
    write.execute("users.lock", lock).await?;
    let sql = "SELECT EXISTS (SELECT user_id FROM accounts.credentials WHERE user_id = $1)
                   OR EXISTS (SELECT FROM accounts.passkeys WHERE user_id = $1)
                   OR EXISTS (SELECT FROM accounts.identities WHERE user_id = $1 AND id <> $2)";
    let (exists,) =
        write.fetch_one("identities.other_way_in", sqlx::query_as(sql).bind(user).bind(id)).await?;
    Ok(exists)
}

/// Whether the person has a password.
pub(super) async fn has_password(person: &Session, user: UserId) -> Result<bool, StoreError> {
    let find = sqlx::query_as("SELECT EXISTS (SELECT user_id FROM accounts.credentials WHERE user_id = $1)");
    let (has,) = person.fetch_one("credentials.exists", find.bind(user)).await?;
    Ok(has)
}

pub(super) async fn delete_in_tx(
    write: &mut Write,
    (user, id): (UserId, IdentityId),
) -> Result<bool, StoreError> {
    let delete = sqlx::query("DELETE FROM accounts.identities WHERE user_id = $1 AND id = $2");
    Ok(write.execute("identities.delete", delete.bind(user).bind(id)).await? == 1)
}
