//! Statements about invitations.

use chrono::{DateTime, Utc};
use pulse_graphql::{Error, Page, PageError};
use pulse_store::{Session, StoreError, Write};
use pulse_types::{InvitationId, OrgId, Role, UnitId, UserId};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::entity::{InvitationRow, OwnInvitationRow, State};
use crate::token::TokenHash;
use crate::user::EmailAddress;

macro_rules! columns {
    () => {
        "i.id, i.email, i.role, i.state, i.inviter, i.accepted_by,
         ARRAY(SELECT u.unit FROM accounts.invitation_units u
                WHERE u.org_id = i.org_id AND u.invitation = i.id ORDER BY u.unit) AS units,
         i.version, i.created_at, i.updated_at, i.expires_at"
    };
}

/// What is asked of a list.
fn push_states(query: &mut QueryBuilder<Postgres>, states: &[State], now: DateTime<Utc>) {
    if states.is_empty() {
        return;
    }
    query.push(" AND (false");
    for state in states {
        query.push(" OR i.state = ").push_bind(state.as_str());
        match state {
            State::Open => query.push(" AND i.expires_at > ").push_bind(now),
            State::Expired => query.push(" AND i.expires_at <= ").push_bind(now),
            State::Accepted | State::Declined | State::Revoked => query,
        };
    }
    query.push(")");
}

pub(super) async fn page(
    session: &Session,
    org: OrgId,
    states: &[State],
    page: &Page,
) -> Result<Vec<InvitationRow>, Error<PageError>> {
    let select = concat!("SELECT ", columns!(), " FROM accounts.invitations i WHERE i.org_id = ");
    let mut query = QueryBuilder::<Postgres>::new(select);
    query.push_bind(org);
    push_states(&mut query, states, session.store().clock().now());
    if let Some(cursor) = &page.from {
        let (id,): (InvitationId,) = cursor.values()?;
        query.push(if page.backwards { " AND i.id < " } else { " AND i.id > " }).push_bind(id);
    }
    query.push(if page.backwards { " ORDER BY i.id DESC LIMIT " } else { " ORDER BY i.id LIMIT " });
    query.push_bind(page.limit());
    Ok(session.fetch_all("invitations.page", query.build_query_as()).await?)
}

pub(super) async fn count(session: &Session, org: OrgId, states: &[State]) -> Result<i64, StoreError> {
    let select = "SELECT count(*) FROM accounts.invitations i WHERE i.org_id = ";
    let mut query = QueryBuilder::<Postgres>::new(select);
    query.push_bind(org);
    push_states(&mut query, states, session.store().clock().now());
    let (count,) = session.fetch_one("invitations.count", query.build_query_as()).await?;
    Ok(count)
}

/// These of the tenant, in the order of the ids that are asked for.
pub(super) async fn by_ids(
    session: &Session,
    org: OrgId,
    ids: &[InvitationId],
) -> Result<Vec<InvitationRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM accounts.invitations i WHERE i.org_id = $1 AND i.id = ANY ($2) ORDER BY array_position($2, i.id)"
    );
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    session.fetch_all("invitations.by_ids", sqlx::query_as(sql).bind(org).bind(ids)).await
}

/// Which invitation a letter's token is for.
pub(super) async fn by_hash(
    nobody: &Session,
    hash: TokenHash,
) -> Result<Option<(OrgId, InvitationId)>, StoreError> {
    let find = sqlx::query_as("SELECT org_id, id FROM accounts.invitation_by_hash($1)");
    nobody.fetch_optional("invitations.by_hash", find.bind(hash.as_bytes().to_vec())).await
}

/// The open invitations of the session's person, by the address that is known to be its own.
pub(super) async fn own(session: &Session) -> Result<Vec<OwnInvitationRow>, StoreError> {
    let sql = "SELECT org_id, id, organization, role, inviter, created_at, expires_at FROM accounts.my_invitations($1)";
    let find = sqlx::query_as(sql).bind(session.store().clock().now());
    session.fetch_all("invitations.own", find).await
}

/// One of the tenant, which nobody else changes until this write ends; with a hash, only while that is its letter's.
pub(super) async fn lock_in_tx(
    write: &mut Write,
    (org, id): (OrgId, InvitationId),
    hash: Option<TokenHash>,
) -> Result<Option<InvitationRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM accounts.invitations i WHERE i.org_id = $1 AND i.id = $2 AND ($3::bytea IS NULL OR i.hash = $3) FOR UPDATE"
    );
    let hash = hash.map(|hash| hash.as_bytes().to_vec());
    write.fetch_optional("invitations.lock", sqlx::query_as(sql).bind(org).bind(id).bind(hash)).await
}

/// The one of an address that waits for an answer, also if it is too late for one.
pub(super) async fn lock_open_in_tx(
    write: &mut Write,
    org: OrgId,
    email: &EmailAddress,
) -> Result<Option<InvitationRow>, StoreError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        " FROM accounts.invitations i WHERE i.org_id = $1 AND i.email = $2 COLLATE \"C\" AND i.state = 'open' FOR UPDATE"
    );
    write.fetch_optional("invitations.lock_open", sqlx::query_as(sql).bind(org).bind(email.as_str())).await
}

/// Whether whoever has this address is a member.
pub(super) async fn is_member_in_tx(
    write: &mut Write,
    org: OrgId,
    email: &EmailAddress,
) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT FROM accounts.memberships
                               WHERE org_id = $1 AND user_id = accounts.user_by_email($2))";
    let find = sqlx::query_as(sql).bind(org).bind(email.as_str());
    let (is,) = write.fetch_one("memberships.of_address", find).await?;
    Ok(is)
}

/// How many wait for an answer.
pub(super) async fn count_open_in_tx(write: &mut Write, org: OrgId) -> Result<i64, StoreError> {
    let sql =
        "SELECT count(*) FROM accounts.invitations WHERE org_id = $1 AND state = 'open' AND expires_at > $2";
    let now = write.now();
    let (count,) = write.fetch_one("invitations.count_open", sqlx::query_as(sql).bind(org).bind(now)).await?;
    Ok(count)
}

/// What an invitation says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'a> {
    pub(super) email: &'a EmailAddress,
    pub(super) role: Role,
    pub(super) inviter: UserId,
    pub(super) expires_at: DateTime<Utc>,
}

pub(super) async fn insert_in_tx(
    write: &mut Write,
    (org, id): (OrgId, InvitationId),
    offer: Offer<'_>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts.invitations (org_id, id, email, role, state, inviter, created_at, updated_at, expires_at)
               VALUES ($1, $2, $3, $4, 'open', $5, $6, $6, $7)";
    let Offer { email, role, inviter, expires_at } = offer;
    let now = write.now();
    let insert = sqlx::query(sql).bind(org).bind(id).bind(email.as_str()).bind(role.as_str()).bind(inviter);
    write.execute("invitations.insert", insert.bind(now).bind(expires_at)).await.map(drop)
}

/// Writes down what an invitation was before it is changed.
pub(super) async fn keep_in_tx(
    write: &mut Write,
    (org, id): (OrgId, InvitationId),
    actor: Option<UserId>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO accounts.history (org_id, subject, id, version, value, at, actor)
               SELECT org_id, 'accounts.invitation', id, version,
                      jsonb_build_object('role', role, 'state', state, 'expires_at', expires_at), $3, $4
                 FROM accounts.invitations WHERE org_id = $1 AND id = $2";
    let now = write.now();
    let keep = sqlx::query(sql).bind(org).bind(id).bind(now).bind(actor);
    write.execute("history.insert", keep).await.map(drop)
}

/// Opens it anew under what is offered by now. The letter of before is worth nothing any more.
pub(super) async fn renew_in_tx(
    write: &mut Write,
    (org, id): (OrgId, InvitationId),
    offer: Offer<'_>,
) -> Result<(), StoreError> {
    let sql = "UPDATE accounts.invitations
                  SET role = $3, inviter = $4, expires_at = $5, hash = NULL, version = version + 1, updated_at = $6
                WHERE org_id = $1 AND id = $2";
    let Offer { email: _, role, inviter, expires_at } = offer;
    let now = write.now();
    let update = sqlx::query(sql).bind(org).bind(id).bind(role.as_str()).bind(inviter).bind(expires_at);
    write.execute("invitations.renew", update.bind(now)).await.map(drop)
}

/// Ends it. Of one that was accepted the token goes on being known, so that accepting twice is once.
pub(super) async fn end_in_tx(
    write: &mut Write,
    (org, id): (OrgId, InvitationId),
    state: State,
    accepted_by: Option<UserId>,
) -> Result<(), StoreError> {
    let sql = "UPDATE accounts.invitations
                  SET state = $3, accepted_by = $4, hash = CASE WHEN $3 = 'accepted' THEN hash END,
                      version = version + 1, updated_at = $5
                WHERE org_id = $1 AND id = $2";
    let now = write.now();
    let update = sqlx::query(sql).bind(org).bind(id).bind(state.as_str()).bind(accepted_by).bind(now);
    write.execute("invitations.end", update).await.map(drop)
}

/// The token of its newest letter.
pub(super) async fn set_hash_in_tx(
    write: &mut Write,
    (org, id): (OrgId, InvitationId),
    hash: TokenHash,
) -> Result<(), StoreError> {
    let sql = "UPDATE accounts.invitations SET hash = $3 WHERE org_id = $1 AND id = $2";
    let update = sqlx::query(sql).bind(org).bind(id).bind(hash.as_bytes().to_vec());
    write.execute("invitations.set_hash", update).await.map(drop)
}

/// Puts these units in the place of those that it names; whether all of them are the tenant's.
pub(super) async fn set_units_in_tx(
    write: &mut Write,
    (org, id): (OrgId, InvitationId),
    units: &[UnitId],
) -> Result<bool, StoreError> {
    let delete = sqlx::query("DELETE FROM accounts.invitation_units WHERE org_id = $1 AND invitation = $2");
    write.execute("invitation_units.delete", delete.bind(org).bind(id)).await?;
    if units.is_empty() {
        return Ok(true);
    }
    let sql = "INSERT INTO accounts.invitation_units (org_id, invitation, unit)
               SELECT org_id, $2, id FROM accounts.units WHERE org_id = $1 AND id = ANY ($3)";
    let ids: Vec<Uuid> = units.iter().map(|unit| unit.uuid()).collect();
    let insert = sqlx::query(sql).bind(org).bind(id).bind(ids);
    Ok(write.execute("invitation_units.insert", insert).await? == units.len() as u64)
}
