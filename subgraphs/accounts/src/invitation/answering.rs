//! What whoever is invited does: looking, accepting, declining.

use pulse_graphql::Error;
use pulse_store::{Session, StoreError, Write};
use pulse_types::{InvitationId, OrgId, Permission, Refusal, Role, Secret, UserId};

use super::entity::{InvitationRow, OwnInvitationRow, Preview, State};
use super::error::AnswerError;
use super::{end_in_tx, fact, repo};
use crate::access;
use crate::identity_provider::tenant;
use crate::membership::{self, MembershipRow};
use crate::organization::{self, Seen};
use crate::session;
use crate::throttle;
use crate::token::TokenHash;
use crate::unit;
use crate::user::{self, EmailAddress};

/// By what somebody names an invitation.
#[derive(Debug, Clone)]
pub(crate) enum Ticket {
    /// What is in the letter.
    Token(Secret),
    /// One of [`own`].
    Id(InvitationId),
}

/// Somebody is a member.
pub(crate) struct Answered {
    pub(crate) organization: Seen,
    pub(crate) membership: MembershipRow,
}

/// Which one is answered, and what must still be its letter's token.
type Found = (OrgId, InvitationId, Option<TokenHash>);

/// An invitation by which somebody registers.
pub(crate) struct Invited {
    pub(crate) organization: Seen,
    id: InvitationId,
    hash: TokenHash,
}

/// The open invitations of the caller, by the address that is known to be its own: at most 100.
pub(crate) async fn own(session: &Session) -> Result<Vec<OwnInvitationRow>, Error> {
    session.caller().require_user()?;
    Ok(repo::own(session).await?)
}

/// What somebody with the letter may know.
pub(crate) async fn preview(session: &Session, token: &Secret) -> Result<Preview, Error<AnswerError>> {
    let (org, id, _) = by_token(session, token).await?;
    let tenant = tenant(session, org);
    let row = repo::by_ids(&tenant, org, &[id]).await?.pop().ok_or(AnswerError::Gone)?;
    if row.state_at(session.store().clock().now()) != State::Open {
        return Err(AnswerError::Gone.into());
    }
    let seen = organization::find(&tenant, vec![org]).await?.remove(&org).ok_or(AnswerError::Gone)?;
    let inviter = inviter_name(&tenant, row.inviter).await?;
    let organization = seen.organization.name;
    Ok(Preview { organization, role: row.role.0, inviter, expires_at: row.expires_at })
}

/// Makes the caller a member. Accepting twice is once.
pub(crate) async fn accept(session: &Session, ticket: Ticket) -> Result<Answered, Error<AnswerError>> {
    let user = session.caller().require_user()?;
    let me = user::find(session, &[user]).await?.remove(&user).ok_or(Refusal::Unauthenticated)?;
    let (org, id, hash) = find(session, &ticket).await?;
    if session::confinement(session).await?.is_some_and(|only| only != org) {
        return Err(AnswerError::Confined.into());
    }
    let mut write = session.write().await?;
    write.act_in(org).await?;
    membership::lock_in_tx(&mut write, org).await?;
    let row = repo::lock_in_tx(&mut write, (org, id), hash).await?.ok_or(AnswerError::Gone)?;
    if row.state.0 == State::Accepted && row.accepted_by == Some(user) {
        let standing = membership::find_in_tx(&mut write, org, user).await?;
        drop(write);
        return answered(session, org, standing.ok_or(AnswerError::Gone)?).await;
    }
    require_open_in_tx(&mut write, org, &row).await?;
    if row.email != me.email {
        return Err(AnswerError::OtherAddress.into());
    }
    if me.email_verified_at.is_none() {
        return Err(AnswerError::Unconfirmed.into());
    }
    let (membership, _) = join_in_tx(&mut write, (org, user), &row).await?;
    write.commit(fact("invitation:accept", id, row.version + 1)).await?;
    answered(session, org, membership).await
}

/// Ends an invitation without becoming a member. Whoever has the letter may, without signing in.
pub(crate) async fn decline(session: &Session, ticket: Ticket) -> Result<(), Error<AnswerError>> {
    let (org, id, hash) = find(session, &ticket).await?;
    let mut write = session.write().await?;
    write.act_in(org).await?;
    let row = repo::lock_in_tx(&mut write, (org, id), hash).await?.ok_or(AnswerError::Gone)?;
    if row.state_at(write.now()) != State::Open {
        return Err(AnswerError::Gone.into());
    }
    let actor = session.caller().actor();
    end_in_tx(&mut write, (org, &row), (State::Declined, None), actor).await?;
    Ok(write.commit(fact("invitation:decline", id, row.version + 1)).await?)
}

/// What somebody who registers with this address was invited to.
pub(crate) async fn invited(
    session: &Session,
    token: &Secret,
    email: &EmailAddress,
) -> Result<Invited, Error<AnswerError>> {
    let (org, id, hash) = by_token(session, token).await?;
    let tenant = tenant(session, org);
    let row = repo::by_ids(&tenant, org, &[id]).await?.pop();
    let organization = organization::find(&tenant, vec![org]).await?.remove(&org);
    tenant.forget().await;
    let now = session.store().clock().now();
    let row = row.filter(|row| row.state_at(now) == State::Open).ok_or(AnswerError::Gone)?;
    if row.email != email.as_str() {
        return Err(AnswerError::OtherAddress.into());
    }
    let (organization, hash) = (organization.ok_or(AnswerError::Gone)?, hash.ok_or(AnswerError::Gone)?);
    Ok(Invited { organization, id, hash })
}

/// Makes somebody who has just registered with the invitation's address a member. The write acts in the tenant afterwards.
pub(crate) async fn accept_by_letter_in_tx(
    write: &mut Write,
    user: UserId,
    invited: Invited,
) -> Result<Seen, Error<AnswerError>> {
    let Invited { organization, id, hash } = invited;
    let org = organization.organization.id;
    write.act_in(org).await?;
    membership::lock_in_tx(write, org).await?;
    let row = repo::lock_in_tx(write, (org, id), Some(hash)).await?.ok_or(AnswerError::Gone)?;
    require_open_in_tx(write, org, &row).await?;
    let (membership, _) = join_in_tx(write, (org, user), &row).await?;
    write.audit(fact("invitation:accept", id, row.version + 1));
    Ok(Seen { role: Some(membership.role.0), ..organization })
}

/// Takes what was offered to somebody whom the tenant's own issuer vouches for, in a write that acts in the tenant: the role,
/// if the person has become a member by it.
pub(crate) async fn accept_pending_in_tx(
    write: &mut Write,
    (org, user): (OrgId, UserId),
    email: &EmailAddress,
) -> Result<Option<Role>, StoreError> {
    membership::lock_in_tx(write, org).await?;
    let Some(row) = repo::lock_open_in_tx(write, org, email).await? else { return Ok(None) };
    if row.state_at(write.now()) != State::Open || !inviter_may_in_tx(write, org, &row).await? {
        return Ok(None);
    }
    let (membership, is_new) = join_in_tx(write, (org, user), &row).await?;
    write.audit(fact("invitation:accept", row.id, row.version + 1));
    Ok(is_new.then_some(membership.role.0))
}

/// What the inviter is called; `None` for somebody who is no member any more.
pub(super) async fn inviter_name(tenant: &Session, inviter: UserId) -> Result<Option<String>, StoreError> {
    Ok(user::find(tenant, &[inviter]).await?.remove(&inviter).map(|row| row.name))
}

async fn find(session: &Session, ticket: &Ticket) -> Result<Found, Error<AnswerError>> {
    match ticket {
        Ticket::Token(token) => by_token(session, token).await,
        Ticket::Id(id) => {
            session.caller().require_user()?;
            let own = repo::own(session).await?.into_iter().find(|own| own.id == *id);
            let own = own.ok_or(AnswerError::Gone)?;
            Ok((own.org_id, own.id, None))
        }
    }
}

async fn by_token(session: &Session, token: &Secret) -> Result<Found, Error<AnswerError>> {
    let hash = TokenHash::of(token);
    let nobody = throttle::nobody(session);
    let (org, id) = repo::by_hash(&nobody, hash).await?.ok_or(AnswerError::Gone)?;
    nobody.forget().await;
    Ok((org, id, Some(hash)))
}

async fn require_open_in_tx(
    write: &mut Write,
    org: OrgId,
    row: &InvitationRow,
) -> Result<(), Error<AnswerError>> {
    let is_good = row.state_at(write.now()) == State::Open && inviter_may_in_tx(write, org, row).await?;
    if is_good { Ok(()) } else { Err(AnswerError::Gone.into()) }
}

/// Whether whoever has invited could do so now.
async fn inviter_may_in_tx(write: &mut Write, org: OrgId, row: &InvitationRow) -> Result<bool, StoreError> {
    let given = row.role.0.permissions();
    let needed = given.iter().chain([&Permission::MEMBER_MANAGE]);
    access::may_all_in_tx(write, (org, row.inviter), needed).await
}

/// Makes the person a member of the tenant, and of those of the units that the inviter could add somebody to now. Who is a member
/// already keeps its role; whether it was none.
async fn join_in_tx(
    write: &mut Write,
    (org, user): (OrgId, UserId),
    row: &InvitationRow,
) -> Result<(MembershipRow, bool), StoreError> {
    let standing = membership::find_in_tx(write, org, user).await?;
    let is_new = standing.is_none();
    let membership = match standing {
        Some(standing) => standing,
        None => membership::join_in_tx(write, org, user, row.role.0).await?,
    };
    let units: Vec<_> = row.unit_ids().collect();
    let units = access::joinable_in_tx(write, (org, row.inviter), &units).await?;
    unit::join_in_tx(write, (org, user), units).await?;
    end_in_tx(write, (org, row), (State::Accepted, Some(user)), Some(user)).await?;
    Ok((membership, is_new))
}

async fn answered(
    session: &Session,
    org: OrgId,
    membership: MembershipRow,
) -> Result<Answered, Error<AnswerError>> {
    let organization = organization::own_one(session, org).await?.ok_or(AnswerError::Gone)?;
    Ok(Answered { organization, membership })
}
