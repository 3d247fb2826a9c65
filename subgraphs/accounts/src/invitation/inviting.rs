//! Inviting people, and taking that back.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_store::{Begun, EventKind, IdempotencyKey, Session, StoreError, Write};
use pulse_types::{Caller, InvitationId, OrgId, Permission, Refusal, Role, UnitId, UserId};
use serde_json::json;

use super::entity::{InvitationRow, State};
use super::error::{InviteeProblem, InvitingError};
use super::repo::{self, Offer};
use super::{MAX_AT_ONCE, MAX_OPEN, MAX_UNITS, end_in_tx, event, fact};
use crate::access::{Joining, require_right_to_join_in_tx};
use crate::authority::Authority;
use crate::email_domain;
use crate::mail::Letter;
use crate::membership;
use crate::settings;
use crate::throttle::Attempt;
use crate::unit;
use crate::user::EmailAddress;

/// Somebody who is to be invited.
#[derive(Debug, Clone)]
pub(crate) struct Invitee {
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) units: Vec<UnitId>,
}

/// The same, checked.
#[derive(Debug, serde::Serialize)]
struct Checked {
    email: EmailAddress,
    role: Role,
    units: Vec<UnitId>,
}

/// Invites one person.
pub(crate) async fn invite_one(
    session: &Session,
    authority: &Authority,
    invitee: Invitee,
    key: Option<String>,
) -> Result<InvitationRow, Error<InvitingError>> {
    session.caller().require(&Permission::MEMBER_MANAGE)?;
    membership::require_to_give(session.caller(), invitee.role)?;
    let checked = vec![check(invitee).map_err(|problem| problem.of(None))?];
    let rows = invite_all(session, authority, ("accounts.inviteMember", checked), key).await;
    let row = rows.map_err(|error| error.map_client(of_the_only_one))?.pop();
    row.ok_or(Error::Store(StoreError::KeyReused))
}

/// Invites several people, all or none.
pub(crate) async fn invite(
    session: &Session,
    authority: &Authority,
    invitees: Vec<Invitee>,
    key: Option<String>,
) -> Result<Vec<InvitationRow>, Error<InvitingError>> {
    session.caller().require(&Permission::MEMBER_MANAGE)?;
    if !(1..=MAX_AT_ONCE).contains(&invitees.len()) {
        return Err(InvitingError::Count(invitees.len()).into());
    }
    let mut checked: Vec<Checked> = Vec::with_capacity(invitees.len());
    for (index, invitee) in invitees.into_iter().enumerate() {
        membership::require_to_give(session.caller(), invitee.role)?;
        let one = check(invitee).map_err(|problem| problem.of(Some(index)))?;
        if checked.iter().any(|other| other.email == one.email) {
            return Err(InviteeProblem::Twice.of(Some(index)).into());
        }
        checked.push(one);
    }
    invite_all(session, authority, ("accounts.inviteMembers", checked), key).await
}

/// Takes an invitation back.
pub(crate) async fn revoke(
    session: &Session,
    id: InvitationId,
) -> Result<InvitationRow, Error<InvitingError>> {
    let org = session.caller().require(&Permission::MEMBER_MANAGE)?;
    let mut write = session.write().await?;
    let row = open_in_tx(&mut write, (org, id)).await?;
    membership::require_right_over(session.caller(), row.role.0)?;
    end_in_tx(&mut write, (org, &row), (State::Revoked, None), session.caller().actor()).await?;
    write.commit(fact("invitation:revoke", id, row.version + 1)).await?;
    one(session, org, id).await
}

/// Sends the letter again, with another link, and opens the invitation anew if its time is over.
pub(crate) async fn resend(
    session: &Session,
    authority: &Authority,
    id: InvitationId,
) -> Result<InvitationRow, Error<InvitingError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::MEMBER_MANAGE)?;
    let inviter = caller.answerable().ok_or(Refusal::Unauthenticated)?;
    let mut write = session.write().await?;
    membership::lock_in_tx(&mut write, org).await?;
    let row = open_in_tx(&mut write, (org, id)).await?;
    membership::require_to_give(caller, row.role.0)?;
    let email = EmailAddress::try_new(&row.email).map_err(Error::internal)?;
    let one = Checked { email, role: row.role.0, units: row.unit_ids().collect() };
    offer_in_tx(&mut write, authority, (org, caller, inviter), &one).await?;
    if repo::count_open_in_tx(&mut write, org).await? > MAX_OPEN {
        return Err(InvitingError::TooMany.into());
    }
    write.commit(fact("invitation:resend", id, row.version + 1)).await?;
    self::one(session, org, id).await
}

async fn invite_all(
    session: &Session,
    authority: &Authority,
    (operation, invitees): (&'static str, Vec<Checked>),
    key: Option<String>,
) -> Result<Vec<InvitationRow>, Error<InvitingError>> {
    let caller = session.caller();
    let org = caller.require(&Permission::MEMBER_MANAGE)?;
    let inviter = caller.answerable().ok_or(Refusal::Unauthenticated)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(InvitingError::from)?;
    let mut write = match session.write_once(operation, key.as_ref(), &invitees).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => {
            let ids: Vec<InvitationId> =
                serde_json::from_value(response["ids"].clone()).map_err(Error::internal)?;
            return Ok(repo::by_ids(session, org, &ids).await?);
        }
    };
    membership::lock_in_tx(&mut write, org).await?;
    let mut ids = Vec::with_capacity(invitees.len());
    for (index, invitee) in invitees.iter().enumerate() {
        let offered = offer_in_tx(&mut write, authority, (org, caller, inviter), invitee).await;
        ids.push(offered.map_err(|error| error.map_client(|error| of_one(error, index)))?);
    }
    if repo::count_open_in_tx(&mut write, org).await? > MAX_OPEN {
        return Err(InvitingError::TooMany.into());
    }
    let items = i32::try_from(ids.len()).unwrap_or(i32::MAX);
    let key = ids.first().filter(|_| ids.len() == 1).map(|id| id.uuid());
    let fact = pulse_store::AuditFact { key, version: None, items, ..fact("invitation:create", ids[0], 1) };
    write.commit_with(fact, &json!({ "ids": ids })).await?;
    Ok(repo::by_ids(session, org, &ids).await?)
}

/// Makes the invitation or, where the address has an open one, puts it in its place; and has the letter sent.
async fn offer_in_tx(
    write: &mut Write,
    authority: &Authority,
    (org, caller, inviter): (OrgId, &Caller, UserId),
    one: &Checked,
) -> Result<InvitationId, Error<InvitingError>> {
    let Checked { email, role, units } = one;
    if repo::is_member_in_tx(write, org, email).await? {
        return Err(InviteeProblem::AlreadyMember.of(None).into());
    }
    if let Some(allowed) = settings::allowed_domains_in_tx(write, org).await?
        && !allowed.iter().any(|domain| domain == email_domain::of(email))
    {
        return Err(InviteeProblem::Domain(allowed.join(", ")).of(None).into());
    }
    let attempt = Attempt::to_invite(&authority.sealer, (org, email.as_str()), write.now());
    attempt.count_in_tx(write).await?.map_err(InvitingError::from)?;
    let lifetime = TimeDelta::from_std(authority.config.invitation_lifetime).unwrap_or(TimeDelta::days(7));
    let offer = Offer { email, role: *role, inviter, expires_at: write.now() + lifetime };
    let (id, kind, version) = if let Some(row) = repo::lock_open_in_tx(write, org, email).await? {
        repo::keep_in_tx(write, (org, row.id), Some(inviter)).await?;
        repo::renew_in_tx(write, (org, row.id), offer).await?;
        (row.id, EventKind::Updated, row.version + 1)
    } else {
        let id = InvitationId::new(write.now());
        repo::insert_in_tx(write, (org, id), offer).await?;
        (id, EventKind::Created, 1)
    };
    if !repo::set_units_in_tx(write, (org, id), units).await? {
        return Err(InviteeProblem::NoSuchUnit.of(None).into());
    }
    for unit in units {
        caller.require_on(&Permission::UNIT_MANAGE, &unit::resource(*unit))?;
    }
    require_right_to_join_in_tx(write, (org, caller), Joining::In(units))
        .await
        .map_err(|error| error.map_client(|problem| InviteeProblem::from(problem).of(None)))?;
    write.event(event(kind, (id, version), State::Open));
    write.enqueue(Letter::Invitation { org, invitation: id, version }.job());
    Ok(id)
}

/// One that waits for an answer, or did until its time was over.
async fn open_in_tx(
    write: &mut Write,
    key: (OrgId, InvitationId),
) -> Result<InvitationRow, Error<InvitingError>> {
    let row = repo::lock_in_tx(write, key, None).await?;
    Ok(row.filter(|row| row.state.0 == State::Open).ok_or(InvitingError::NotFound)?)
}

async fn one(session: &Session, org: OrgId, id: InvitationId) -> Result<InvitationRow, Error<InvitingError>> {
    Ok(repo::by_ids(session, org, &[id]).await?.pop().ok_or(InvitingError::NotFound)?)
}

fn check(invitee: Invitee) -> Result<Checked, InviteeProblem> {
    let Invitee { email, role, units } = invitee;
    let email = EmailAddress::try_new(&email)?;
    let units: BTreeSet<UnitId> = units.into_iter().collect();
    if units.len() > MAX_UNITS {
        return Err(InviteeProblem::Units(units.len()));
    }
    Ok(Checked { email, role, units: units.into_iter().collect() })
}

/// Says of which one of several something is wrong.
fn of_one(error: InvitingError, index: usize) -> InvitingError {
    match error {
        InvitingError::One { problem, .. } => problem.of(Some(index)),
        other => other,
    }
}

fn of_the_only_one(error: InvitingError) -> InvitingError {
    match error {
        InvitingError::One { problem, .. } => problem.of(None),
        other => other,
    }
}
