//! What persons may ask about themselves, and admins about members: an export of all that is stored, and erasing it. Both are
//! written down here and done by all owners of data (crates/privacy).

mod entity;
mod error;
mod repo;
mod undo;

use std::time::Duration;

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_privacy::{BEGIN, Link};
use pulse_store::{AuditFact, Event, EventKind, NewJob, Reading, Session, StoreError, Write};
use pulse_types::{OrgId, Permission, PrivacyRequestId, Role, Secret, UserId};
use serde_json::json;

pub(crate) use entity::{RequestRow, RequestStatus};
pub(crate) use error::{AnonymizationError, ErasureError, ExportError};

use self::repo::{Kind, NewRequest};
use self::undo::UndoToken;
use crate::authority::Authority;
use crate::session::{self, EndReason};
use crate::{membership, user};

/// How long a link to an export is good.
const LINK: TimeDelta = TimeDelta::minutes(15);

/// At most so many exports of one requester are under way.
const MOST_EXPORTS: i64 = 3;

/// That somebody was given a link to what is stored about somebody else.
const READ: Reading =
    Reading { action: "user:read_export", again: "user:read_export_again", subject: user::SUBJECT };

/// An erasure that was asked for.
pub(crate) struct Erasure {
    pub(crate) request: RequestRow,
    /// Takes it back, until it is begun.
    pub(crate) undo: Secret,
}

/// Has everything exported that is stored about a person: about the caller, or with `privacy:manage` what the organization
/// has of a member.
pub(crate) async fn export(session: &Session, person: UserId) -> Result<RequestRow, Error<ExportError>> {
    let caller = session.caller();
    let requester = caller.require_user()?;
    let tenant = if requester == person { None } else { Some(caller.require(&Permission::PRIVACY_MANAGE)?) };
    if tenant.is_some() {
        repo::obstacles(session, person).await?.ok_or(ExportError::NoSuchMember)?;
    }
    let mut write = session.write().await?;
    if repo::exports_in_tx(&mut write).await? >= MOST_EXPORTS {
        return Err(ExportError::TooMany(MOST_EXPORTS).into());
    }
    let now = write.now();
    let new = NewRequest { kind: Kind::Export, person, requester, tenant, due_at: now };
    let row = repo::insert_in_tx(&mut write, PrivacyRequestId::new(now), &new).await?;
    write.enqueue(begin());
    write.commit(fact("user:export", person)).await?;
    Ok(row)
}

/// The export with this id that the caller has asked for.
pub(crate) async fn find_export(
    session: &Session,
    id: PrivacyRequestId,
) -> Result<Option<RequestRow>, Error> {
    session.caller().require_user()?;
    let row = repo::find_export(session, id).await?;
    Ok(row.filter(|row| may_still_see(session, row.tenant)))
}

/// What was asked for as an admin is for those who still are.
fn may_still_see(session: &Session, tenant: Option<OrgId>) -> bool {
    tenant.is_none() || session.caller().require(&Permission::PRIVACY_MANAGE).ok() == tenant
}

/// A link by which the caller downloads the export; `None` while there is nothing to download, and when there no longer is.
pub(crate) fn link(session: &Session, authority: &Authority, row: &RequestRow) -> Option<String> {
    let now = session.store().clock().now();
    let until = row.expires_at.filter(|_| row.status == RequestStatus::Completed)?;
    let person = session.caller().user()?;
    let expires = (now + LINK).min(until);
    if expires <= now {
        return None;
    }
    if let Some(about) = row.person.filter(|about| *about != person) {
        session.look(READ.of(about.uuid()));
    }
    let link = Link { export: row.id.uuid(), person, org: row.tenant, expires: expires.timestamp() };
    Some(link.path(&authority.sealer))
}

/// Signs the person out everywhere, lets nobody sign in as it, and has everything erased that is stored about it when the time
/// of grace is over. Oneself, or with `privacy:manage` somebody who is a member of this organization alone.
pub(crate) async fn erase(
    session: &Session,
    authority: &Authority,
    person: UserId,
) -> Result<Erasure, Error<ErasureError>> {
    let caller = session.caller();
    let requester = caller.require_user()?;
    let tenant = if requester == person { None } else { Some(caller.require(&Permission::PRIVACY_MANAGE)?) };
    let obstacles = repo::obstacles(session, person).await?.ok_or(ErasureError::NoSuchMember)?;
    if tenant.is_some() && repo::role(session, person).await?.as_deref() == Some(Role::Owner.as_str()) {
        caller.require(&Permission::ORGANIZATION_MANAGE)?;
    }
    if tenant.is_some() && obstacles.elsewhere {
        return Err(ErasureError::MemberElsewhere.into());
    }
    if obstacles.sole_owner {
        return Err(ErasureError::SoleOwner.into());
    }
    let grace = TimeDelta::from_std(authority.config.erasure_grace).unwrap_or(TimeDelta::MAX);
    let mut write = session.write().await?;
    let now = write.now();
    let new = NewRequest { kind: Kind::Erase, person, requester, tenant, due_at: now + grace };
    let request = match repo::insert_in_tx(&mut write, PrivacyRequestId::new(now), &new).await {
        Err(error) if error.is_duplicate_of("privacy_requests_erase") => {
            return Err(ErasureError::AskedBefore.into());
        }
        row => row?,
    };
    write.act_as(person).await?;
    withdraw_in_tx(&mut write, person, true).await?;
    session::end_all_in_tx(&mut write, person, None, EndReason::Ended).await?;
    write.commit(fact("user:erase", person)).await?;
    let undo = UndoToken { request: request.id, person, requester }.sign(&authority.sealer);
    Ok(Erasure { request, undo })
}

/// Takes a person out of what this tenant has: ends the membership, if there is one, and has everything forget the person that
/// the tenant's rows say of them or that they have done it. Who the person is, and what others have, stays.
pub(crate) async fn anonymize(
    session: &Session,
    person: UserId,
) -> Result<RequestRow, Error<AnonymizationError>> {
    let caller = session.caller();
    let requester = caller.require_user()?;
    let org = caller.require(&Permission::PRIVACY_MANAGE)?;
    if requester == person {
        return Err(AnonymizationError::Yourself.into());
    }
    let mut write = session.write().await?;
    membership::lock_in_tx(&mut write, org).await?;
    match membership::find_in_tx(&mut write, org, person).await? {
        Some(row) => {
            if row.role.0 == Role::Owner {
                caller.require(&Permission::ORGANIZATION_MANAGE)?;
            }
            let ended = membership::end_in_tx(&mut write, org, &row, Some(requester)).await;
            write.audit(ended.map_err(|error| error.map_client(AnonymizationError::from))?);
        }
        None if repo::is_known_in_tx(&mut write, org, person).await? => {}
        None => return Err(AnonymizationError::NoSuchPerson.into()),
    }
    let now = write.now();
    let new = NewRequest { kind: Kind::Anonymize, person, requester, tenant: Some(org), due_at: now };
    let request = match repo::insert_in_tx(&mut write, PrivacyRequestId::new(now), &new).await {
        Err(error) if error.is_duplicate_of("privacy_requests_anonymize") => {
            return Err(AnonymizationError::AskedBefore.into());
        }
        row => row?,
    };
    write.enqueue(begin());
    write.commit(fact("user:anonymize", person)).await?;
    Ok(request)
}

/// Takes an erasure back whose time of grace is not over. The token is all that is needed: the person cannot sign in.
pub(crate) async fn undo(
    session: &Session,
    authority: &Authority,
    token: &Secret,
) -> Result<UserId, Error<ErasureError>> {
    let token = UndoToken::read(&authority.sealer, token).ok_or(ErasureError::InvalidToken)?;
    let UndoToken { request, person, requester } = token;
    let requester = session.store().session(std::sync::Arc::new(user::caller(requester, session.caller())));
    let mut write = requester.write().await?;
    if !repo::cancel_in_tx(&mut write, request).await? {
        return Err(ErasureError::InvalidToken.into());
    }
    write.act_as(person).await?;
    withdraw_in_tx(&mut write, person, false).await?;
    write.commit(fact("user:undo_erasure", person)).await?;
    Ok(person)
}

/// Nobody is let in as the person from now on, or again; the same holds for programs for which the person answers, so that
/// gateways are told.
async fn withdraw_in_tx(write: &mut Write, person: UserId, erasing: bool) -> Result<(), StoreError> {
    let at = erasing.then(|| write.now());
    let version = repo::withdraw_in_tx(write, person, at).await?;
    write.event_of_no_tenant(Event {
        kind: EventKind::Updated,
        subject: user::SUBJECT,
        key: person.uuid(),
        version,
        changed: vec!["erasing"],
        attributes: json!({ "erasing": erasing }),
        before: json!(null),
    });
    Ok(())
}

/// What is due is looked for by the clock too.
fn begin() -> NewJob {
    NewJob {
        kind: BEGIN,
        payload: json!({}),
        priority: 0,
        max_attempts: 3,
        delay: Duration::ZERO,
        unique_key: None,
    }
}

fn fact(action: &'static str, person: UserId) -> AuditFact {
    AuditFact { action, subject: user::SUBJECT, key: Some(person.uuid()), version: None, items: 1 }
}
