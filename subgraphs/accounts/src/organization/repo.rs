//! Statements about organizations.

use pulse_graphql::{Error, Page, PageError};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::{OrganizationRow, OwnOrganizationRow};
use super::{OrganizationChange, Slug};
use crate::joined::push_page;
use crate::name::Name;

/// All organizations that the caller is a member of, the one joined first before the others.
pub(super) async fn own(session: &Session) -> Result<Vec<OwnOrganizationRow>, StoreError> {
    let sql =
        "SELECT org_id, slug, name, version, created_at, role, joined_at FROM accounts.my_organizations()
                ORDER BY joined_at, org_id";
    session.fetch_all("organizations.own", sqlx::query_as(sql)).await
}

pub(super) async fn own_page(
    session: &Session,
    page: &Page,
) -> Result<Vec<OwnOrganizationRow>, Error<PageError>> {
    let mut query = QueryBuilder::<Postgres>::new(
        "SELECT org_id, slug, name, version, created_at, role, joined_at FROM accounts.my_organizations() WHERE true",
    );
    push_page(&mut query, page, "org_id")?;
    Ok(session.fetch_all("organizations.own_page", query.build_query_as()).await?)
}

pub(super) async fn own_count(session: &Session) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM accounts.my_organizations()";
    let (count,) = session.fetch_one("organizations.own_count", sqlx::query_as(sql)).await?;
    Ok(count)
}

pub(super) async fn own_by_ids(
    session: &Session,
    ids: &[OrgId],
) -> Result<Vec<OwnOrganizationRow>, StoreError> {
    let sql =
        "SELECT org_id, slug, name, version, created_at, role, joined_at FROM accounts.my_organizations()
                WHERE org_id = ANY ($1)";
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    session.fetch_all("organizations.own_by_ids", sqlx::query_as(sql).bind(ids)).await
}

pub(super) async fn own_by_slug(
    session: &Session,
    slug: &str,
) -> Result<Option<OwnOrganizationRow>, StoreError> {
    let sql =
        "SELECT org_id, slug, name, version, created_at, role, joined_at FROM accounts.my_organizations()
                WHERE slug = $1";
    session.fetch_optional("organizations.own_by_slug", sqlx::query_as(sql).bind(slug)).await
}

/// The tenant itself, for callers that are no persons and so no members.
pub(super) async fn tenant(session: &Session, ids: &[OrgId]) -> Result<Vec<OrganizationRow>, StoreError> {
    let sql =
        "SELECT org_id, slug, name, version, created_at FROM accounts.organizations WHERE org_id = ANY ($1)";
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    session.fetch_all("organizations.tenant", sqlx::query_as(sql).bind(ids)).await
}

/// The tenant of that slug, whoever asks: for an operator.
pub(super) async fn id_by_slug(session: &Session, slug: &str) -> Result<Option<OrgId>, StoreError> {
    let sql = "SELECT org_id FROM accounts.organization_by_slug($1) AS org_id WHERE org_id IS NOT NULL";
    let row: Option<(OrgId,)> =
        session.fetch_optional("organizations.id_by_slug", sqlx::query_as(sql).bind(slug)).await?;
    Ok(row.map(|(id,)| id))
}

pub(super) async fn insert_in_tx(
    write: &mut Write,
    id: OrgId,
    (slug, name): (&Slug, &Name),
) -> Result<OrganizationRow, StoreError> {
    let sql = "INSERT INTO accounts.organizations (org_id, slug, name, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $4) RETURNING org_id, slug, name, version, created_at";
    let insert = sqlx::query_as(sql).bind(id).bind(slug.as_str()).bind(name.as_str()).bind(write.now());
    write.fetch_one("organizations.insert", insert).await
}

/// Writes the change, and what was there before into the history. `None` when there is no such organization.
pub(super) async fn update_in_tx(
    write: &mut Write,
    id: OrgId,
    change: &OrganizationChange,
    actor: Option<UserId>,
) -> Result<Option<OrganizationRow>, StoreError> {
    let update = sqlx::query_as(include_str!("../queries/update_organization.sql"))
        .bind(id)
        .bind(change.slug.as_ref().map(Slug::as_str))
        .bind(change.name.as_ref().map(Name::as_str))
        .bind(write.now())
        .bind(actor);
    write.fetch_optional("organizations.update", update).await
}
