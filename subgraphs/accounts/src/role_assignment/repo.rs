//! Statements about roles that are given.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, Reach, Role, RoleAssignmentId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::AssignmentRow;
use super::{AssignmentFilter, NewAssignment};
use crate::access::{AccessError, Ending, MAX_ASSIGNMENTS, ROLE_ASSIGNMENT, Which};

macro_rules! columns {
    () => {
        "id, principal_kind, principal, role, template, place, giver, created_at"
    };
}

/// The condition of a list: what holds in units that are within reach, and in the tenant for who may look there.
fn push_filter(
    query: &mut QueryBuilder<Postgres>,
    (org, filter, reach): (OrgId, AssignmentFilter, Reach<'_>),
) {
    query.push(" FROM accounts.role_assignments WHERE org_id = ").push_bind(org);
    if let Some(whom) = filter.whom {
        query.push(" AND principal_kind = ").push_bind(whom.kind());
        query.push(" AND principal = ").push_bind(whom.id());
    }
    if let Some(role) = filter.role {
        query.push(" AND role = ").push_bind(role);
    }
    match reach.only() {
        Some(units) => {
            query.push(" AND place = ANY (").push_bind(units).push(")");
        }
        None if reach.is_all() => {}
        None => {
            query.push(" AND (place IS NULL OR place <> ALL (").push_bind(reach.denied()).push("))");
        }
    }
}

pub(super) async fn page(
    session: &Session,
    of: (OrgId, AssignmentFilter, Reach<'_>),
    page: &Page,
) -> Result<Vec<AssignmentRow>, Error<AccessError>> {
    session.tag(|| Tag::list(ROLE_ASSIGNMENT));
    let mut query = QueryBuilder::<Postgres>::new(concat!("SELECT ", columns!()));
    push_filter(&mut query, of);
    if let Some(cursor) = &page.from {
        let (id,): (RoleAssignmentId,) = cursor.values().map_err(AccessError::from)?;
        query.push(if page.backwards { " AND id < " } else { " AND id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY id DESC LIMIT " } else { " ORDER BY id LIMIT " });
    query.push_bind(page.limit());
    Ok(session.fetch_all("role_assignments.page", query.build_query_as()).await?)
}

pub(super) async fn count(
    session: &Session,
    of: (OrgId, AssignmentFilter, Reach<'_>),
) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(ROLE_ASSIGNMENT));
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*)");
    push_filter(&mut query, of);
    let (count,) = session.fetch_one("role_assignments.count", query.build_query_as()).await?;
    Ok(count)
}

pub(super) async fn find(
    session: &Session,
    (org, id): (OrgId, RoleAssignmentId),
) -> Result<Option<AssignmentRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM accounts.role_assignments WHERE org_id = $1 AND id = $2");
    session.fetch_optional("role_assignments.find", sqlx::query_as(sql).bind(org).bind(id)).await
}

/// Inserts it, unless the tenant has as many as it may.
pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, RoleAssignmentId),
    (new, giver): (&NewAssignment, Option<UserId>),
) -> Result<Option<AssignmentRow>, StoreError> {
    let sql = concat!(
        "INSERT INTO accounts.role_assignments
             (org_id, id, principal_kind, principal, role, template, place, giver, created_at)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
          WHERE (SELECT count(*) FROM accounts.role_assignments WHERE org_id = $1) < $10
         RETURNING ",
        columns!()
    );
    let insert = sqlx::query_as(sql)
        .bind(org)
        .bind(id)
        .bind(new.whom.kind())
        .bind(new.whom.id())
        .bind(new.role)
        .bind(new.template.map(Role::as_str))
        .bind(new.place)
        .bind(giver)
        .bind(write.now())
        .bind(MAX_ASSIGNMENTS);
    write.fetch_optional("role_assignments.insert", insert).await
}

/// The row, in a write that has locked what is laid down in the tenant.
pub(super) async fn find_in_tx(
    write: &mut Write,
    (org, id): (OrgId, RoleAssignmentId),
) -> Result<Option<AssignmentRow>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM accounts.role_assignments WHERE org_id = $1 AND id = $2");
    write.fetch_optional("role_assignments.find", sqlx::query_as(sql).bind(org).bind(id)).await
}

/// Takes one away, or all that end so, and keeps in the history what was given. Who had it the history does not say of a
/// person: it outlives them.
pub(super) async fn delete_in_tx(
    write: &mut Write,
    (org, which): (OrgId, Which<'_, RoleAssignmentId>),
    actor: Option<UserId>,
) -> Result<Vec<AssignmentRow>, StoreError> {
    let sql = concat!(
        "WITH old AS (
             DELETE FROM accounts.role_assignments
              WHERE org_id = $1 AND (id = $2 OR of_user = $3 OR of_unit = ANY ($4) OR place = ANY ($4) OR role = $5)
             RETURNING *
         ), kept AS (
             INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
             SELECT org_id, 'accounts.role_assignment', id, 1,
                    jsonb_build_object('principal_kind', principal_kind, 'unit', of_unit, 'role', role,
                                       'template', template, 'place', place, 'created_at', created_at), $6, $7
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
        .bind(ending.and_then(|ending| ending.role()))
        .bind(write.now())
        .bind(actor);
    write.fetch_all("role_assignments.delete", delete).await
}
