//! A person's identities: which there are, and linking and unlinking them.

use pulse_graphql::Error;
use pulse_store::{EventKind, Session};
use pulse_types::{IdentityId, Refusal, Secret, UserId};

use super::admission;
use super::sign_in::link_in_tx;
use super::{Begun, IdentityError, IdentityRow, Returned, ask, begin, event, fact, named, repo};
use crate::authority::Authority;
use crate::oidc::Oidc;
use crate::session;
use crate::throttle;
use crate::user::{self, EmailAddress};

/// The caller's identities.
pub(crate) async fn all(session: &Session) -> Result<Vec<IdentityRow>, Error<IdentityError>> {
    let user = session.caller().require_user()?;
    Ok(repo::all(session, user).await?)
}

/// Where to send the caller, who wants to link who it is there. It shows its password, if it has one: an open session alone
/// makes no other way in.
pub(crate) async fn start(
    session: &Session,
    authority: &Authority,
    oidc: &Oidc,
    (provider, redirect_uri): (&str, &str),
    password: Option<Secret>,
) -> Result<Begun, Error<IdentityError>> {
    let user = allowed(session).await?;
    if repo::has_password(session, user).await? {
        let row = user::find(session, &[user]).await?.remove(&user).ok_or(Refusal::Unauthenticated)?;
        let own = EmailAddress::try_new(&row.email).map_err(Error::internal)?;
        let password = password.ok_or(IdentityError::PasswordNeeded)?;
        user::show(session, authority, (user, &own), password).await?;
    }
    session.forget().await;
    begin(session, (oidc, &authority.sealer), (provider, redirect_uri, Some(user)), None).await
}

/// Links who came back with the caller, who has begun it.
pub(crate) async fn link(
    session: &Session,
    authority: &Authority,
    oidc: &Oidc,
    returned: Returned,
) -> Result<IdentityRow, Error<IdentityError>> {
    let user = allowed(session).await?;
    session.forget().await;
    let (provider, claimed) = ask(session, (oidc, &authority.sealer), returned, Some(user)).await?;
    let email = admission::address(session, &provider, &claimed).await?;
    let email = email.as_ref().map(EmailAddress::as_str);
    let found = repo::user(&throttle::nobody(session), named(&provider, &claimed)).await?;
    if found.is_some_and(|other| other != user) {
        return Err(IdentityError::LinkedElsewhere.into());
    }
    let mut write = admission::person(session, user).write().await?;
    if found.is_some() {
        let row = repo::use_in_tx(&mut write, user, named(&provider, &claimed), email).await?;
        let row = row.ok_or(IdentityError::Attempt)?;
        write.commit(fact("identity:use", row.id)).await?;
        return Ok(row);
    }
    let id = IdentityId::new(write.now());
    let row = link_in_tx(&mut write, (user, id), (&provider, &claimed), email).await?;
    write.commit(user::fact_of("user:link_identity", user)).await?;
    Ok(row)
}

/// Forgets who the caller is at an issuer, and ends the sessions that were begun so, but for the one that asks.
pub(crate) async fn unlink(session: &Session, id: IdentityId) -> Result<IdentityId, Error<IdentityError>> {
    let user = session.caller().require_user()?;
    let person = admission::person(session, user);
    let mut write = person.write().await?;
    let goes_on = session.caller().session;
    let has_another = repo::other_way_in_exists_in_tx(&mut write, (user, id)).await?;
    if !repo::delete_in_tx(&mut write, (user, id)).await? {
        return Err(IdentityError::NotFound.into());
    }
    if !has_another {
        return Err(IdentityError::LastWayIn.into());
    }
    session::end_begun_by_in_tx(&mut write, user, id, goes_on).await?;
    write.event_of_no_tenant(event(EventKind::Deleted, (user, id)));
    write.commit(fact("identity:unlink", id)).await?;
    Ok(id)
}

/// Whether the session is one in which its person may have another way in.
async fn allowed(session: &Session) -> Result<UserId, Error<IdentityError>> {
    let user = session.caller().require_user()?;
    match session::confinement(session).await? {
        Some(_) => Err(IdentityError::Confined.into()),
        None => Ok(user),
    }
}
