//! Statements about roles.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, RoleId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::RoleRow;
use super::{MAX_ROLES, NewRole, RoleError};
use crate::access::ROLE;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT id, name, description, permissions, version, created_at, updated_at
               FROM accounts.roles WHERE ",
            $tail
        )
    };
}

pub(super) async fn find_many(
    session: &Session,
    org: OrgId,
    ids: &[RoleId],
) -> Result<Vec<RoleRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(ROLE, id.uuid())));
    let find = sqlx::query_as(select!("org_id = $1 AND id = ANY ($2)")).bind(org).bind(ids);
    session.fetch_all("roles.find_many", find).await
}

pub(super) async fn page(
    session: &Session,
    org: OrgId,
    page: &Page,
) -> Result<Vec<RoleRow>, Error<RoleError>> {
    session.tag(|| Tag::list(ROLE));
    let mut query = QueryBuilder::<Postgres>::new(select!("org_id = "));
    query.push_bind(org);
    if let Some(cursor) = &page.from {
        let (id,): (RoleId,) = cursor.values().map_err(RoleError::from)?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(session.fetch_all("roles.page", query.build_query_as()).await?)
}

pub(super) async fn count(session: &Session, org: OrgId) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(ROLE));
    let sql = "SELECT count(*) FROM accounts.roles WHERE org_id = $1";
    let (count,) = session.fetch_one("roles.count", sqlx::query_as(sql).bind(org)).await?;
    Ok(count)
}

/// Inserts it, unless the tenant has as many as it may.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, RoleId),
    new: &NewRole,
) -> Result<Option<RoleRow>, StoreError> {
    let sql =
        "INSERT INTO accounts.roles (org_id, id, name, description, permissions, created_at, updated_at)
               SELECT $1, $2, $3, $4, $5, $6, $6
                WHERE (SELECT count(*) FROM accounts.roles WHERE org_id = $1) < $7
               RETURNING id, name, description, permissions, version, created_at, updated_at";
    let insert = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(new.name.as_str())
        .bind(&new.description)
        .bind(&new.permissions)
        .bind(write.now())
        .bind(MAX_ROLES);
    write.fetch_optional("roles.insert", insert).await
}

/// The row, which no other write changes until this one ends.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    (org, id): (OrgId, RoleId),
) -> Result<Option<RoleRow>, StoreError> {
    let lock = sqlx::query_as(select!("org_id = $1 AND id = $2 FOR NO KEY UPDATE")).bind(org).bind(id);
    write.fetch_optional("roles.lock", lock).await
}

/// Keeps the row as it is in the history.
pub(super) async fn keep_in_tx(
    write: &mut Write,
    (org, id): (OrgId, RoleId),
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
               SELECT org_id, 'accounts.role', id, version, to_jsonb(r) - 'org_id', $3, $4
                 FROM accounts.roles AS r WHERE org_id = $1 AND id = $2";
    let keep = sqlx::query(sql).bind(org).bind(id).bind(write.now()).bind(actor);
    write.execute("roles.keep", keep).await.map(drop)
}

pub(super) async fn update_in_tx(
    write: &mut Write,
    org: OrgId,
    new: &RoleRow,
) -> Result<RoleRow, StoreError> {
    let sql = "UPDATE accounts.roles SET name = $3, description = $4, permissions = $5, updated_at = $6,
                      version = version + 1
                WHERE org_id = $1 AND id = $2
               RETURNING id, name, description, permissions, version, created_at, updated_at";
    let update = sqlx::query_as(sql)
        .bind(org)
        .bind(new.id)
        .bind(&new.name)
        .bind(&new.description)
        .bind(&new.permissions)
        .bind(write.now());
    write.fetch_one("roles.update", update).await
}

pub(super) async fn delete_in_tx(write: &mut Write, (org, id): (OrgId, RoleId)) -> Result<(), StoreError> {
    let sql = "DELETE FROM accounts.roles WHERE org_id = $1 AND id = $2";
    write.execute("roles.delete", sqlx::query(sql).bind(org).bind(id)).await.map(drop)
}
