//! Statements about units and who belongs to them.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, UnitId, UserId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::entity::{UnitMemberRow, UnitRow};
use super::members::{Inside, Slice};

macro_rules! tree {
    () => {
        "SELECT id, kind, parent, name, version, created_at, updated_at FROM accounts.units WHERE org_id = $1"
    };
}

/// Somebody in one of the pages that were asked for.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct PagedRow {
    /// Which of them.
    pub(super) page: i32,
    pub(super) user_id: UserId,
    pub(super) added_at: DateTime<Utc>,
}

/// All units of the tenant.
pub(super) async fn tree(session: &Session, org: OrgId) -> Result<Vec<UnitRow>, StoreError> {
    session.fetch_all("units.tree", sqlx::query_as(tree!()).bind(org)).await
}

pub(super) async fn tree_in_tx(write: &mut Write, org: OrgId) -> Result<Vec<UnitRow>, StoreError> {
    write.fetch_all("units.tree", sqlx::query_as(tree!()).bind(org)).await
}

pub(super) async fn insert_in_tx(
    write: &mut Write,
    org: OrgId,
    row: &UnitRow,
) -> Result<UnitRow, StoreError> {
    let sql = "INSERT INTO accounts.units (org_id, id, kind, parent, name, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $6)
               RETURNING id, kind, parent, name, version, created_at, updated_at";
    let insert = sqlx::query_as(sql).bind(org).bind(row.id).bind(row.kind.as_str()).bind(row.parent);
    write.fetch_one("units.insert", insert.bind(&row.name).bind(row.created_at)).await
}

/// Gives the unit the name and the parent of `new`, and keeps what it was.
pub(super) async fn update_in_tx(
    write: &mut Write,
    org: OrgId,
    new: &UnitRow,
    actor: Option<UserId>,
) -> Result<UnitRow, StoreError> {
    let sql = include_str!("../queries/update_unit.sql");
    let update = sqlx::query_as(sql).bind(org).bind(new.id).bind(&new.name).bind(new.parent);
    let update = update.bind(write.now()).bind(actor);
    write.fetch_one("units.update", update).await
}

/// Deletes units in which there is nothing but each other, and keeps what they were.
pub(super) async fn delete_in_tx(
    write: &mut Write,
    org: OrgId,
    units: &[UnitId],
    actor: Option<UserId>,
) -> Result<i64, StoreError> {
    let sql = include_str!("../queries/delete_units.sql");
    let delete = sqlx::query_as(sql).bind(org).bind(uuids(units)).bind(write.now()).bind(actor);
    let (deleted,) = write.fetch_one("units.delete", delete).await?;
    Ok(deleted)
}

/// A page of the members of each of these, in the order of being added. Who belongs to several of the units counts from the
/// first time.
pub(super) async fn members(
    session: &Session,
    org: OrgId,
    slice: &Slice,
    of: &[&Inside],
) -> Result<Vec<PagedRow>, StoreError> {
    let (pages, units) = pairs(of);
    let is_plain = of.iter().all(|inside| inside.units.len() == 1);
    let (comparison, direction) = if slice.backwards { ("<", "DESC") } else { (">", "ASC") };
    let mut query = QueryBuilder::<Postgres>::new("SELECT p.page, m.user_id, m.added_at FROM ");
    let added_at = if is_plain {
        query.push("unnest(").push_bind(pages).push("::int4[], ").push_bind(units);
        query.push("::uuid[]) AS p (page, unit) CROSS JOIN LATERAL (SELECT m.user_id, m.added_at FROM accounts.unit_members AS m WHERE m.org_id = ");
        query.push_bind(org).push(" AND m.unit = p.unit");
        "m.added_at"
    } else {
        query.push("generate_series(0, ").push_bind(i32::try_from(of.len()).unwrap_or(i32::MAX) - 1);
        query.push(
            ") AS p (page) CROSS JOIN LATERAL (SELECT m.user_id, min(m.added_at) AS added_at FROM unnest(",
        );
        query.push_bind(pages).push("::int4[], ").push_bind(units);
        query.push(
            "::uuid[]) AS u (page, unit) JOIN accounts.unit_members AS m ON m.unit = u.unit AND m.org_id = ",
        );
        query.push_bind(org).push(" WHERE u.page = p.page GROUP BY m.user_id");
        "min(m.added_at)"
    };
    if let Some((last, user)) = slice.from {
        query.push(if is_plain { " AND (" } else { " HAVING (" });
        query.push(format_args!("{added_at}, m.user_id) {comparison} (")).push_bind(last);
        query.push(", ").push_bind(user).push(")");
    }
    query.push(format_args!(" ORDER BY {added_at} {direction}, m.user_id {direction} LIMIT "));
    query.push_bind(slice.limit);
    query.push(format_args!(") AS m ORDER BY m.added_at {direction}, m.user_id {direction}"));
    session.fetch_all("unit_members.page", query.build_query_as()).await
}

/// How many people belong to each of these.
pub(super) async fn count_members(
    session: &Session,
    org: OrgId,
    of: &[&Inside],
) -> Result<Vec<(i32, i64)>, StoreError> {
    let sql = "SELECT u.page, count(DISTINCT m.user_id) FROM unnest($2::int4[], $3::uuid[]) AS u (page, unit)
                 JOIN accounts.unit_members AS m ON m.org_id = $1 AND m.unit = u.unit GROUP BY u.page";
    let (pages, units) = pairs(of);
    session.fetch_all("unit_members.count", sqlx::query_as(sql).bind(org).bind(pages).bind(units)).await
}

/// Each with the units that it is about.
fn pairs(of: &[&Inside]) -> (Vec<i32>, Vec<Uuid>) {
    let each = (0..).zip(of).flat_map(|(page, inside)| inside.units.iter().map(move |id| (page, id.uuid())));
    each.unzip()
}

/// To which units these people belong.
pub(super) async fn of_people(
    session: &Session,
    org: OrgId,
    people: &[UserId],
) -> Result<Vec<UnitMemberRow>, StoreError> {
    let sql = "SELECT unit, user_id, version, added_at FROM accounts.unit_members
                WHERE org_id = $1 AND user_id = ANY ($2)";
    session
        .fetch_all("unit_members.of_people", sqlx::query_as(sql).bind(org).bind(people_uuids(people)))
        .await
}

/// Those of these people who are members of the tenant.
pub(super) async fn members_of_tenant_in_tx(
    write: &mut Write,
    org: OrgId,
    people: &[UserId],
) -> Result<Vec<UserId>, StoreError> {
    let sql = "SELECT user_id FROM accounts.memberships WHERE org_id = $1 AND user_id = ANY ($2)";
    let find = sqlx::query_as(sql).bind(org).bind(people_uuids(people));
    let rows: Vec<(UserId,)> = write.fetch_all("memberships.among", find).await?;
    Ok(rows.into_iter().map(|(user,)| user).collect())
}

pub(super) async fn insert_members_in_tx(
    write: &mut Write,
    (org, unit): (OrgId, UnitId),
    people: &[UserId],
) -> Result<Vec<UnitMemberRow>, StoreError> {
    let sql = include_str!("../queries/insert_unit_members.sql");
    let insert = sqlx::query_as(sql).bind(org).bind(unit).bind(people_uuids(people)).bind(write.now());
    write.fetch_all("unit_members.insert", insert).await
}

/// To how many units somebody belongs.
pub(super) async fn count_of_person_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM accounts.unit_members WHERE org_id = $1 AND user_id = $2";
    let (count,) =
        write.fetch_one("unit_members.of_person", sqlx::query_as(sql).bind(org).bind(user)).await?;
    Ok(count)
}

/// One of these people who belongs to more than `most` units.
pub(super) async fn overcommitted_in_tx(
    write: &mut Write,
    org: OrgId,
    (people, most): (&[UserId], i64),
) -> Result<Option<UserId>, StoreError> {
    let sql = "SELECT user_id FROM accounts.unit_members WHERE org_id = $1 AND user_id = ANY ($2)
                GROUP BY user_id HAVING count(*) > $3 ORDER BY user_id LIMIT 1";
    let find = sqlx::query_as(sql).bind(org).bind(people_uuids(people)).bind(most);
    let row: Option<(UserId,)> = write.fetch_optional("unit_members.overcommitted", find).await?;
    Ok(row.map(|(user,)| user))
}

/// How often anybody belongs to one of these units.
pub(super) async fn count_in_tx(write: &mut Write, org: OrgId, units: &[UnitId]) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM accounts.unit_members WHERE org_id = $1 AND unit = ANY ($2)";
    let (count,) =
        write.fetch_one("unit_members.count", sqlx::query_as(sql).bind(org).bind(uuids(units))).await?;
    Ok(count)
}

/// Which of those who belong to units no longer do.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leaving<'a> {
    /// These people leave one unit.
    Unit(UnitId, &'a [UserId]),
    /// Everybody leaves these units.
    Units(&'a [UnitId]),
    /// Somebody leaves all.
    Everything(UserId),
}

/// Takes people out of units, and keeps what was.
pub(super) async fn delete_members_in_tx(
    write: &mut Write,
    org: OrgId,
    leaving: Leaving<'_>,
    actor: Option<UserId>,
) -> Result<Vec<UnitMemberRow>, StoreError> {
    let mut query =
        QueryBuilder::<Postgres>::new("WITH old AS (DELETE FROM accounts.unit_members WHERE org_id = ");
    query.push_bind(org);
    match leaving {
        Leaving::Unit(unit, people) => {
            query.push(" AND unit = ").push_bind(unit);
            query.push(" AND user_id = ANY (").push_bind(people_uuids(people)).push(")");
        }
        Leaving::Units(units) => {
            query.push(" AND unit = ANY (").push_bind(uuids(units)).push(")");
        }
        Leaving::Everything(user) => {
            query.push(" AND user_id = ").push_bind(user);
        }
    }
    query.push(
        " RETURNING org_id, unit, user_id, version, added_at), kept AS (
              INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
              SELECT org_id, 'accounts.unit_member', user_id, version,
                     jsonb_build_object('unit', unit, 'added_at', added_at), ",
    );
    query.push_bind(write.now()).push(", ").push_bind(actor);
    query.push(" FROM old) SELECT unit, user_id, version, added_at FROM old ORDER BY unit, user_id");
    write.fetch_all("unit_members.delete", query.build_query_as()).await
}

fn uuids(ids: &[UnitId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

fn people_uuids(ids: &[UserId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}
