//! Whether somebody whom an issuer vouches for is let in, and as whom.

use std::sync::Arc;

use pulse_graphql::Error;
use pulse_store::Session;
use pulse_types::{OrgId, Refusal, Role, UserId};

use super::{IdentityError, named, repo};
use crate::email_domain;
use crate::identity_provider::tenant;
use crate::name::Name;
use crate::oidc::{Claimed, Provider};
use crate::organization::{self, Seen};
use crate::throttle;
use crate::user::{self, EmailAddress, UserRow};

/// Who is let in.
pub(super) enum Who {
    /// Somebody who was linked before.
    Linked(UserRow),
    /// Somebody who has an account, and is to be linked with it.
    Known(UserRow),
    /// Somebody who is to get an account.
    New(EmailAddress, Name),
}

/// Where to, when the issuer is an organization's.
pub(super) struct Place {
    pub(super) organization: Seen,
    /// The role that the issuer gives now; `None` where it does not decide about those who have one.
    pub(super) role: Option<Role>,
    /// The role of somebody who has none yet.
    pub(super) first_role: Option<Role>,
}

/// The address of somebody, if the issuer may speak for it.
pub(super) async fn address(
    session: &Session,
    provider: &Provider,
    claimed: &Claimed,
) -> Result<Option<EmailAddress>, Error<IdentityError>> {
    let is_verified = claimed.email_verified || provider.assumes_verified;
    let email = claimed.email.as_deref().filter(|_| is_verified);
    let email = email.and_then(|email| EmailAddress::try_new(email).ok());
    let Some(owner @ (org, _)) = provider.owner else { return Ok(email) };
    let email = email.ok_or(IdentityError::NoVerifiedAddress)?;
    let tenant = tenant(session, org);
    let leads = email_domain::leads_to(&tenant, owner, &email).await?;
    tenant.forget().await;
    if leads {
        Ok(Some(email))
    } else {
        Err(IdentityError::ForeignDomain(email_domain::of(&email).to_owned()).into())
    }
}

/// Who it is that the issuer speaks of.
pub(super) async fn who(
    session: &Session,
    provider: &Provider,
    claimed: &Claimed,
    email: Option<&EmailAddress>,
) -> Result<Who, Error<IdentityError>> {
    let nobody = throttle::nobody(session);
    if let Some(user) = repo::user(&nobody, named(provider, claimed)).await? {
        return Ok(Who::Linked(row(session, user).await?));
    }
    let email = email.ok_or(IdentityError::NoVerifiedAddress)?;
    match user::by_email(&nobody, email).await? {
        Some(user) => {
            let is_trusted = provider.owner.is_some() || provider.is_trusted_with(email_domain::of(email));
            let row = row(session, user).await?;
            if !is_trusted {
                Err(IdentityError::LinkFirst.into())
            } else if row.email_verified_at.is_none() {
                // Whoever registered may have waited for the owner of the address to come.
                Err(IdentityError::Unconfirmed.into())
            } else {
                Ok(Who::Known(row))
            }
        }
        None if provider.sign_up => Ok(Who::New(email.clone(), name(claimed, email)?)),
        None => Err(IdentityError::NoAccount.into()),
    }
}

/// The organization that an issuer speaks for, with the role that it gives there.
pub(super) async fn place(
    session: &Session,
    provider: &Provider,
    org: OrgId,
    claimed: &Claimed,
) -> Result<Place, Error<IdentityError>> {
    let tenant = tenant(session, org);
    let found = organization::find(&tenant, vec![org]).await?.remove(&org);
    tenant.forget().await;
    let organization = found.ok_or(IdentityError::NoSuchProvider)?;
    let first_role = provider.role(&claimed.all);
    let decides = provider.roles.decide();
    if decides && first_role.is_none() {
        return Err(IdentityError::NoRole.into());
    }
    Ok(Place { organization, role: first_role.filter(|_| decides), first_role })
}

async fn row(session: &Session, user: UserId) -> Result<UserRow, Error<IdentityError>> {
    let person = person(session, user);
    let found = user::find(&person, &[user]).await?.remove(&user);
    person.forget().await;
    found.ok_or(Error::Refused(Refusal::Unauthenticated))
}

/// A session that acts as this person, in no tenant.
pub(super) fn person(session: &Session, user: UserId) -> Session {
    session.store().session(Arc::new(user::caller(user, session.caller())))
}

/// What the issuer calls the person, as far as it is a name here; else what stands before the @.
fn name(claimed: &Claimed, email: &EmailAddress) -> Result<Name, IdentityError> {
    let given = claimed.name.as_deref().and_then(|name| Name::try_new(name).ok());
    let local = || Name::try_new(email.as_str().split('@').next().unwrap_or_default());
    Ok(given.map_or_else(local, Ok)?)
}
