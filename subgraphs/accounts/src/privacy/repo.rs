//! Statements about requests about persons. The database shows a request to who has asked for it alone.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{OrgId, PrivacyRequestId, UserId};

use super::entity::{Obstacles, RequestRow};

macro_rules! columns {
    () => {
        "id, person, tenant, status, due_at, created_at, finished_at, expires_at, bytes"
    };
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Export,
    Erase,
    Anonymize,
}

/// A request to be made.
#[derive(Debug)]
pub(super) struct NewRequest {
    pub(super) kind: Kind,
    pub(super) person: UserId,
    pub(super) requester: UserId,
    pub(super) tenant: Option<OrgId>,
    pub(super) due_at: DateTime<Utc>,
}

pub(super) async fn insert_in_tx(
    write: &mut Write,
    id: PrivacyRequestId,
    new: &NewRequest,
) -> Result<RequestRow, StoreError> {
    let sql = concat!(
        "INSERT INTO platform.privacy_requests (id, kind, person, requester, tenant, status, due_at, created_at)
         VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7) RETURNING ",
        columns!()
    );
    let NewRequest { kind, person, requester, tenant, due_at } = new;
    let kind = match kind {
        Kind::Export => "export",
        Kind::Erase => "erase",
        Kind::Anonymize => "anonymize",
    };
    let now = write.now();
    let insert = sqlx::query_as(sql).bind(id).bind(kind).bind(person).bind(requester).bind(tenant);
    write.fetch_one("privacy_requests.insert", insert.bind(due_at).bind(now)).await
}

/// How many exports of the caller are under way.
pub(super) async fn exports_in_tx(write: &mut Write) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM platform.privacy_requests WHERE kind = 'export' AND status IN ('waiting', 'running')";
    let (count,) = write.fetch_one("privacy_requests.exports", sqlx::query_as(sql)).await?;
    Ok(count)
}

pub(super) async fn find_export(
    session: &Session,
    id: PrivacyRequestId,
) -> Result<Option<RequestRow>, StoreError> {
    let sql =
        concat!("SELECT ", columns!(), " FROM platform.privacy_requests WHERE id = $1 AND kind = 'export'");
    session.fetch_optional("privacy_requests.find", sqlx::query_as(sql).bind(id)).await
}

/// `false` when it was begun or taken back before.
pub(super) async fn cancel_in_tx(write: &mut Write, id: PrivacyRequestId) -> Result<bool, StoreError> {
    let sql = "UPDATE platform.privacy_requests SET status = 'cancelled', finished_at = $2
                WHERE id = $1 AND kind = 'erase' AND status = 'waiting'";
    let cancel = sqlx::query(sql).bind(id).bind(write.now());
    Ok(write.execute("privacy_requests.cancel", cancel).await? == 1)
}

/// Lets nobody sign in as the person from a time on, or again; which version the person has.
pub(super) async fn withdraw_in_tx(
    write: &mut Write,
    person: UserId,
    at: Option<DateTime<Utc>>,
) -> Result<i64, StoreError> {
    let sql = "UPDATE accounts.users SET erasing_at = $2 WHERE user_id = $1 RETURNING version";
    let (version,) = write.fetch_one("users.withdraw", sqlx::query_as(sql).bind(person).bind(at)).await?;
    Ok(version)
}

/// Whether the tenant's audit knows of the person.
pub(super) async fn is_known_in_tx(
    write: &mut Write,
    org: OrgId,
    person: UserId,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM platform.audit WHERE org_id = $1 AND actor = $2)
                   OR EXISTS (SELECT FROM platform.audit WHERE org_id = $1 AND key = $2)";
    let (known,) = write.fetch_one("audit.knows_person", sqlx::query_as(sql).bind(org).bind(person)).await?;
    Ok(known)
}

/// `None` for somebody of whom the caller may not know.
pub(super) async fn obstacles(session: &Session, person: UserId) -> Result<Option<Obstacles>, StoreError> {
    let sql = "SELECT elsewhere, sole_owner FROM accounts.erasure_obstacles($1)";
    session.fetch_optional("users.erasure_obstacles", sqlx::query_as(sql).bind(person)).await
}

/// The person's role in the tenant.
pub(super) async fn role(session: &Session, person: UserId) -> Result<Option<String>, StoreError> {
    let sql = "SELECT role FROM accounts.memberships WHERE user_id = $1";
    let row: Option<(String,)> =
        session.fetch_optional("memberships.role", sqlx::query_as(sql).bind(person)).await?;
    Ok(row.map(|(role,)| role))
}
