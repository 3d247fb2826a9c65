//! Statements about memberships.

use pulse_graphql::{Error, Page, PageError};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, Role, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::MembershipRow;
use crate::joined::push_page;

pub(super) async fn page(
    session: &Session,
    org: OrgId,
    role: Option<Role>,
    page: &Page,
) -> Result<Vec<MembershipRow>, Error<PageError>> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT user_id, role, version, joined_at FROM accounts.memberships WHERE org_id = ",
    );
    query.push_bind(org);
    if let Some(role) = role {
        query.push(" AND role = ").push_bind(role.as_str());
    }
    push_page(&mut query, page, "user_id")?;
    Ok(session.fetch_all("memberships.page", query.build_query_as()).await?)
}

pub(super) async fn count(session: &Session, org: OrgId, role: Option<Role>) -> Result<i64, StoreError> {
    let sql =
        "SELECT count(*) FROM accounts.memberships WHERE org_id = $1 AND ($2::text IS NULL OR role = $2)";
    let count = sqlx::query_as(sql).bind(org).bind(role.map(Role::as_str));
    let (count,) = session.fetch_one("memberships.count", count).await?;
    Ok(count)
}

/// Lets nobody else change the organization's members until this write ends.
pub(crate) async fn lock_in_tx(write: &mut Write, org: OrgId) -> Result<(), StoreError> {
    let lock =
        sqlx::query("SELECT FROM accounts.organizations WHERE org_id = $1 FOR NO KEY UPDATE").bind(org);
    write.execute("organizations.lock", lock).await.map(drop)
}

/// Somebody's membership, if there is one.
pub(crate) async fn find_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
) -> Result<Option<MembershipRow>, StoreError> {
    let sql = "SELECT user_id, role, version, joined_at FROM accounts.memberships WHERE org_id = $1 AND user_id = $2";
    write.fetch_optional("memberships.find", sqlx::query_as(sql).bind(org).bind(user)).await
}

pub(super) async fn other_owner_exists_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM accounts.memberships WHERE org_id = $1 AND role = 'owner' AND user_id <> $2)";
    let (exists,) =
        write.fetch_one("memberships.other_owner", sqlx::query_as(sql).bind(org).bind(user)).await?;
    Ok(exists)
}

pub(super) async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
    role: Role,
) -> Result<MembershipRow, StoreError> {
    let sql = include_str!("../queries/insert_membership.sql");
    let insert = sqlx::query_as(sql).bind(org).bind(user).bind(role.as_str()).bind(write.now());
    write.fetch_one("memberships.insert", insert).await
}

pub(super) async fn change_role_in_tx(
    write: &mut Write,
    org: OrgId,
    (user, role): (UserId, Role),
    actor: Option<UserId>,
) -> Result<MembershipRow, StoreError> {
    let sql = include_str!("../queries/change_role.sql");
    let update = sqlx::query_as(sql).bind(org).bind(user).bind(role.as_str()).bind(write.now()).bind(actor);
    write.fetch_one("memberships.change_role", update).await
}

pub(super) async fn delete_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
    actor: Option<UserId>,
) -> Result<MembershipRow, StoreError> {
    let sql = include_str!("../queries/delete_membership.sql");
    let delete = sqlx::query_as(sql).bind(org).bind(user).bind(write.now()).bind(actor);
    write.fetch_one("memberships.delete", delete).await
}
