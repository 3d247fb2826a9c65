//! Statements about roles that are given.

use pulse_graphql::{Error, Page};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, Role, RoleAssignmentId, Tag, UserId};
use sqlx::{Postgres, QueryBuilder};

use super::entity::AssignmentRow;
use super::{AssignmentFilter, NewAssignment};
use crate::access::{AccessError, MAX_ASSIGNMENTS, ROLE_ASSIGNMENT};

macro_rules! columns {
    () => {
        "id, principal_kind, principal, role, template, place, giver, created_at"
    };
}

/// The condition of a list.
fn push_filter(query: &mut QueryBuilder<Postgres>, org: OrgId, filter: AssignmentFilter) {
    query.push(" FROM accounts.role_assignments WHERE org_id = ").push_bind(org);
    if let Some(whom) = filter.whom {
        query.push(" AND principal_kind = ").push_bind(whom.kind());
        query.push(" AND principal = ").push_bind(whom.id());
    }
    if let Some(role) = filter.role {
        query.push(" AND role = ").push_bind(role);
    }
}

pub(super) async fn page(
    session: &Session,
    (org, filter): (OrgId, AssignmentFilter),
    page: &Page,
) -> Result<Vec<AssignmentRow>, Error<AccessError>> {
    session.tag(|| Tag::list(ROLE_ASSIGNMENT));
    let mut query = QueryBuilder::<Postgres>::new(concat!("SELECT ", columns!()));
    push_filter(&mut query, org, filter);
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
    (org, filter): (OrgId, AssignmentFilter),
) -> Result<i64, StoreError> {
    session.tag(|| Tag::list(ROLE_ASSIGNMENT));
    let mut query = QueryBuilder::<Postgres>::new("SELECT count(*)");
    push_filter(&mut query, org, filter);
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

/// Takes it away, and keeps in the history what was given. Who had it the history does not say of a person: it outlives them.
pub(super) async fn delete_in_tx(
    write: &mut Write,
    (org, id): (OrgId, RoleAssignmentId),
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let sql = "WITH old AS (DELETE FROM accounts.role_assignments WHERE org_id = $1 AND id = $2 RETURNING *)
               INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
               SELECT org_id, 'accounts.role_assignment', id, 1,
                      jsonb_build_object('principal_kind', principal_kind, 'unit', of_unit, 'role', role,
                                         'template', template, 'place', place, 'created_at', created_at), $3, $4
                 FROM old";
    let delete = sqlx::query(sql).bind(org).bind(id).bind(write.now()).bind(actor);
    write.execute("role_assignments.delete", delete).await.map(drop)
}
