//! Statements about grants.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{Effect, GrantId, OrgId, Reach, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::GrantRow;
use super::{GrantFilter, NewGrant};
use crate::access::{AccessError, Ending, GRANT, MAX_GRANTS, Which};

macro_rules! columns {
    () => {
        "id, principal_kind, principal, effect, permission, resource, giver, expires_at, created_at"
    };
}

/// The condition of a list: what holds in units that are within reach, and in the tenant for who may look there.
fn push_filter(query: &mut QueryBuilder<Postgres>, (org, filter, reach): (OrgId, &GrantFilter, Reach<'_>)) {
    query.push(" FROM accounts.grants WHERE org_id = ").push_bind(org);
    if let Some(whom) = filter.whom {
        query.push(" AND principal_kind = ").push_bind(whom.kind());
        query.push(" AND principal = ").push_bind(whom.id());
    }
    if let Some(resource) = &filter.resource {
        query.push(" AND resource = ").push_bind(resource.to_string());
    }
    match reach.only() {
        Some(units) => {
            query.push(" AND on_unit = ANY (").push_bind(units).push(")");
        }
        None if reach.is_all() => {}
        None => {
            query.push(" AND (on_unit IS NULL OR on_unit <> ALL (").push_bind(reach.denied()).push("))");
        }
    }
}

pub(super) async fn page(
    session: &Session,
    of: (OrgId, &GrantFilter, Reach<'_>),
    page: &Page,
) -> Result<Vec<GrantRow>, Error<AccessError>> {
    session.tag(|| Tag::list(GRANT));
    let mut query = QueryBuilder::<Postgres>::new(concat!("SELECT ", columns!()));
    push_filter(&mut query, of);
    if let Some(cursor) = &page.from {
        let (id,): (GrantId,) = cursor.values().map_err(AccessError::from)?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(session.fetch_all("grants.page", query.build_query_as()).await?)
}

pub(super) async fn count(
    session: &Session,
    of: (OrgId, &GrantFilter, Reach<'_>),
) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(GRANT));
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*)");
    push_filter(&mut query, of);
    let (count,) = session.fetch_one("grants.count", query.build_query_as()).await?;
    Ok(count)
}

pub(super) async fn find(
    session: &Session,
    (org, id): (OrgId, GrantId),
) -> Result<Option<GrantRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM accounts.grants WHERE org_id = $1 AND id = $2");
    session.fetch_optional("grants.find", sqlx::query_as(sql).bind(org).bind(id)).await
}

/// Forgets what has ended by itself: it is of no effect, and may be given anew.
pub(super) async fn delete_expired_in_tx(write: &mut Write, org: OrgId) -> Result<(), StoreError> {
    let sql = "DELETE FROM accounts.grants WHERE org_id = $1 AND expires_at <= $2";
    let delete = sqlx::query(sql).bind(org).bind(write.now());
    write.execute("grants.delete_expired", delete).await.map(drop)
}

/// Inserts it, unless the tenant has as many as it may.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, GrantId),
    (new, giver, by_owner): (&NewGrant, Option<UserId>, bool),
) -> Result<Option<GrantRow>, StoreError> {
    let sql = concat!(
        "INSERT INTO accounts.grants (org_id, id, principal_kind, principal, effect, permission, resource,
             by_owner, giver, expires_at, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
          WHERE (SELECT count(*) FROM accounts.grants WHERE org_id = $1) < $12
         RETURNING ",
        columns!()
    );
    let insert = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(new.whom.kind())
        .bind(new.whom.id())
        .bind(if new.effect == Effect::Deny { "deny" } else { "allow" })
        .bind(new.permission.as_str())
        .bind(new.resource.as_ref().map(ToString::to_string))
        .bind(by_owner)
        .bind(giver)
        .bind(new.expires_at)
        .bind(write.now())
        .bind(MAX_GRANTS);
    write.fetch_optional("grants.insert", insert).await
}

/// The row, in a write that has locked what is laid down in the tenant.
pub(super) async fn find_in_tx(
    write: &mut Write,
    (org, id): (OrgId, GrantId),
) -> Result<Option<GrantRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM accounts.grants WHERE org_id = $1 AND id = $2");
    write.fetch_optional("grants.find", sqlx::query_as(sql).bind(org).bind(id)).await
}

/// Takes one away, or all that end so, and keeps in the history what was said. Of whom the history does not say of a person: it
/// outlives them.
pub(super) async fn delete_in_tx(
    write: &mut Write,
    (org, which): (OrgId, Which<'_, GrantId>),
    actor: Option<UserId>,
) -> Result<Vec<GrantRow>, StoreError> {
    let sql = concat!(
        "WITH old AS (
             DELETE FROM accounts.grants
              WHERE org_id = $1 AND (id = $2 OR of_user = $3 OR of_unit = ANY ($4) OR on_unit = ANY ($4))
             RETURNING *
         ), kept AS (
             INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
             SELECT org_id, 'accounts.grant', id, 1,
                    jsonb_build_object('principal_kind', principal_kind, 'unit', of_unit, 'machine', of_machine,
                                       'effect', effect, 'permission', permission, 'resource', resource,
                                       'expires_at', expires_at, 'created_at', created_at), $5, $6
               FROM old
         )
         SELECT ",
        columns!(),
        " FROM old ORDER BY id"
    );
    let ending = which.ending();
    let units = ending.iter().flat_map(Ending::units).map(|unit| unit.uuid()).collect::<Vec<_>>();
    let delete = sqlx::query_as(sql)
        .bind(org)
        .bind(which.one())
        .bind(ending.and_then(|ending| ending.user()))
        .bind(units)
        .bind(write.now())
        .bind(actor);
    write.fetch_all("grants.delete", delete).await
}
