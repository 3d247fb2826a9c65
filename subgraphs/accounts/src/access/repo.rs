//! Statements about policies, and about whom they are for.

use std::collections::HashMap;

use pulse_store::{Session, StoreError, Write};
use pulse_types::{MachineId, OrgId, Permission, Permissions, UnitId, UserId};
use sqlx::FromRow;
use sqlx::types::Json;

use super::decide::Member;
use super::policy::PolicyRows;
use crate::organization::StoredRole;

const POLICY: &str = include_str!("../queries/load_policy.sql");

pub(super) async fn policy(session: &Session, org: OrgId) -> Result<PolicyRows, StoreError> {
    let (Json(rows),) = session.fetch_one("policies.load", sqlx::query_as(POLICY).bind(org)).await?;
    Ok(rows)
}

/// The same with what the write has changed.
pub(super) async fn policy_in_tx(write: &mut Write, org: OrgId) -> Result<PolicyRows, StoreError> {
    let (Json(rows),) = write.fetch_one("policies.load", sqlx::query_as(POLICY).bind(org)).await?;
    Ok(rows)
}

#[derive(FromRow)]
struct MemberRow {
    user_id: UserId,
    #[sqlx(try_from = "String")]
    role: StoredRole,
    units: Vec<UnitId>,
}

impl From<MemberRow> for Member {
    fn from(MemberRow { user_id, role, units }: MemberRow) -> Self {
        Self { user: user_id, role: Some(role.0), units }
    }
}

macro_rules! members {
    ($condition:literal) => {
        concat!(
            "SELECT m.user_id, m.role,
                    ARRAY(SELECT u.unit FROM accounts.unit_members u
                           WHERE u.org_id = m.org_id AND u.user_id = m.user_id ORDER BY u.unit) AS units
               FROM accounts.memberships m WHERE m.org_id = $1 AND ",
            $condition
        )
    };
}

/// Those of these people who are members.
pub(super) async fn members(
    session: &Session,
    org: OrgId,
    users: &[UserId],
) -> Result<HashMap<UserId, Member>, StoreError> {
    let find = sqlx::query_as(members!("m.user_id = ANY ($2)")).bind(org).bind(users);
    let rows: Vec<MemberRow> = session.fetch_all("memberships.with_units", find).await?;
    Ok(rows.into_iter().map(|row| (row.user_id, row.into())).collect())
}

pub(super) async fn member_in_tx(
    write: &mut Write,
    org: OrgId,
    user: UserId,
) -> Result<Option<Member>, StoreError> {
    let find = sqlx::query_as(members!("m.user_id = $2")).bind(org).bind(user);
    let row: Option<MemberRow> = write.fetch_optional("memberships.with_units", find).await?;
    Ok(row.map(Member::from))
}

/// All who were added to one of these units.
pub(super) async fn members_of_in_tx(
    write: &mut Write,
    org: OrgId,
    units: &[UnitId],
) -> Result<Vec<Member>, StoreError> {
    let sql = members!(
        "EXISTS (SELECT FROM accounts.unit_members i
                  WHERE i.org_id = m.org_id AND i.user_id = m.user_id AND i.unit = ANY ($2))"
    );
    let find = sqlx::query_as(sql).bind(org).bind(units);
    let rows: Vec<MemberRow> = write.fetch_all("memberships.of_units", find).await?;
    Ok(rows.into_iter().map(Member::from).collect())
}

pub(super) async fn unit_exists_in_tx(
    write: &mut Write,
    org: OrgId,
    unit: UnitId,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM accounts.units WHERE org_id = $1 AND id = $2)";
    let (exists,) = write.fetch_one("units.exists", sqlx::query_as(sql).bind(org).bind(unit)).await?;
    Ok(exists)
}

/// Who answers for a machine that was not revoked, and what it was made for.
pub(super) async fn machine_in_tx(
    write: &mut Write,
    org: OrgId,
    machine: MachineId,
) -> Result<Option<(UserId, Permissions)>, StoreError> {
    let sql =
        "SELECT maker, scopes FROM accounts.machines WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";
    let found: Option<(UserId, Vec<String>)> =
        write.fetch_optional("machines.scopes", sqlx::query_as(sql).bind(org).bind(machine)).await?;
    Ok(found.map(|(maker, scopes)| (maker, permissions(scopes))))
}

/// The same for whoever asks to have it explained.
pub(super) async fn machine(
    session: &Session,
    org: OrgId,
    machine: MachineId,
) -> Result<Option<(UserId, Permissions)>, StoreError> {
    let sql =
        "SELECT maker, scopes FROM accounts.machines WHERE org_id = $1 AND id = $2 AND revoked_at IS NULL";
    let found: Option<(UserId, Vec<String>)> =
        session.fetch_optional("machines.scopes", sqlx::query_as(sql).bind(org).bind(machine)).await?;
    Ok(found.map(|(maker, scopes)| (maker, permissions(scopes))))
}

/// The machines that a person answers for and that have grants of their own.
pub(super) async fn machines_with_grants_in_tx(
    write: &mut Write,
    org: OrgId,
    maker: UserId,
) -> Result<Vec<(MachineId, Permissions)>, StoreError> {
    let sql = "SELECT m.id, m.scopes FROM accounts.machines m
                WHERE m.org_id = $1 AND m.maker = $2 AND m.revoked_at IS NULL
                  AND EXISTS (SELECT FROM accounts.grants g WHERE g.org_id = m.org_id AND g.of_machine = m.id)";
    let rows: Vec<(MachineId, Vec<String>)> =
        write.fetch_all("machines.with_grants", sqlx::query_as(sql).bind(org).bind(maker)).await?;
    Ok(rows.into_iter().map(|(id, scopes)| (id, permissions(scopes))).collect())
}

fn permissions(names: Vec<String>) -> Permissions {
    names.into_iter().map(Permission::from).collect()
}
