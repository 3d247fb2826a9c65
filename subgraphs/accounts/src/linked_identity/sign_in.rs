//! Signing in by an issuer, and out again.

use pulse_graphql::Error;
use pulse_store::{EventKind, Session, Write};
use pulse_types::{IdentityId, OrgId, Role, SessionId, UserId};

use super::admission::{self, Place, Who};
use super::{Begun, IdentityError, MAX_IDENTITIES, Returned, ask, begin, event, fact, named, provider, repo};
use crate::authority::Authority;
use crate::invitation;
use crate::membership;
use crate::oidc::{Claimed, Oidc, Provider};
use crate::organization::{self, Seen};
use crate::session::{self, Entered, VouchedBy};
use crate::throttle::{self, Attempt};
use crate::user::{self, EmailAddress, UserError, UserRow};

/// Where to send somebody who wants to sign in.
pub(crate) async fn start(
    session: &Session,
    authority: &Authority,
    oidc: &Oidc,
    (provider, redirect_uri): (&str, &str),
) -> Result<Begun, Error<IdentityError>> {
    let attempt = Attempt::by_issuer(session.caller(), &authority.sealer, provider);
    attempt.check(session).await?.map_err(IdentityError::from)?;
    begin(session, (oidc, &authority.sealer), (provider, redirect_uri, None), Some(&attempt)).await
}

/// Signs in who came back: into the issuer's organization, else into that of `slug` or the one joined first. Answers that are none
/// are counted by where they come from.
pub(crate) async fn sign_in(
    session: &Session,
    authority: &Authority,
    oidc: &Oidc,
    returned: Returned,
    slug: Option<&str>,
) -> Result<Entered, Error<IdentityError>> {
    let attempt = Attempt::to_come_back(session.caller(), &authority.sealer);
    attempt.check(session).await?.map_err(IdentityError::from)?;
    let entered = sign_in_at_once(session, authority, oidc, (returned, slug)).await;
    if matches!(&entered, Err(Error::Client(error)) if error.is_guess()) {
        let mut write = throttle::nobody(session).write().await?;
        attempt.failed_in_tx(&mut write).await?;
        write.commit(super::attempt::fact("oidc:refuse")).await?;
    }
    entered
}

async fn sign_in_at_once(
    session: &Session,
    authority: &Authority,
    oidc: &Oidc,
    (returned, slug): (Returned, Option<&str>),
) -> Result<Entered, Error<IdentityError>> {
    let (provider, claimed) = ask(session, (oidc, &authority.sealer), returned, None).await?;
    let email = admission::address(session, &provider, &claimed).await?;
    let who = admission::who(session, &provider, &claimed, email.as_ref()).await?;
    let place = match provider.organization() {
        Some(org) => Some(admission::place(session, &provider, org, &claimed).await?),
        None => None,
    };
    let user = match &who {
        Who::Linked(row) | Who::Known(row) => row.id,
        Who::New(..) => UserId::new(session.store().clock().now()),
    };
    let person = admission::person(session, user);
    let elsewhere = match &place {
        Some(_) => None,
        None => own(&person, slug).await?,
    };
    person.forget().await;
    let mut write = person.write().await?;
    let (row, identity) = enter_in_tx(&mut write, (user, who), (&provider, &claimed), email.as_ref()).await?;
    let organization = match place {
        Some(place) => Some(settle_in_tx(&mut write, (user, email.as_ref()), place).await?),
        None => elsewhere,
    };
    let by = VouchedBy { identity, provider: &provider.key, confined_to: provider.organization() };
    let is_enough = provider.trusts_second_factor && claimed.states_second_factor();
    Attempt::by_issuer(session.caller(), &authority.sealer, &provider.key)
        .succeeded_in_tx(&mut write)
        .await?;
    session::enter_vouched(write, authority, (row, person.caller()), organization, (by, is_enough)).await
}

/// The organization of that slug, or the one joined first.
async fn own(person: &Session, slug: Option<&str>) -> Result<Option<Seen>, Error<IdentityError>> {
    let mut own = organization::own(person).await?.into_iter();
    match slug {
        Some(slug) => {
            let found = own.find(|own| own.organization.slug == slug);
            Ok(Some(found.ok_or(IdentityError::NoSuchOrganization)?.into()))
        }
        None => Ok(own.next().map(Seen::from)),
    }
}

/// The person with its identity, both made where they are missing.
async fn enter_in_tx(
    write: &mut Write,
    (user, who): (UserId, Who),
    (provider, claimed): (&Provider, &Claimed),
    email: Option<&EmailAddress>,
) -> Result<(UserRow, IdentityId), Error<IdentityError>> {
    let email = email.map(EmailAddress::as_str);
    let row = match who {
        Who::Linked(row) => {
            let identity = repo::use_in_tx(write, user, named(provider, claimed), email).await?;
            // Unlinked a moment ago.
            return Ok((row, identity.ok_or(IdentityError::Attempt)?.id));
        }
        Who::Known(row) => row,
        Who::New(address, name) => {
            let row = user::insert_vouched_in_tx(write, user, (&address, &name)).await;
            let row = row.map_err(|error| {
                error.map_client(|error| match error {
                    UserError::AddressTaken => IdentityError::LinkFirst,
                    _ => IdentityError::Attempt,
                })
            })?;
            write.audit(user::fact("user:create", &row));
            row
        }
    };
    let id = IdentityId::new(write.now());
    link_in_tx(write, (user, id), (provider, claimed), email).await?;
    Ok((row, id))
}

/// Writes down who the person is at the issuer.
pub(super) async fn link_in_tx(
    write: &mut Write,
    (user, id): (UserId, IdentityId),
    (provider, claimed): (&Provider, &Claimed),
    email: Option<&str>,
) -> Result<super::IdentityRow, Error<IdentityError>> {
    let inserted =
        repo::insert_in_tx(write, (user, id), named(provider, claimed), email, MAX_IDENTITIES).await;
    let row = match inserted {
        Err(error) if error.is_duplicate_of("identities_subject") => {
            return Err(IdentityError::LinkedElsewhere.into());
        }
        row => row?.ok_or(IdentityError::TooMany(MAX_IDENTITIES))?,
    };
    write.event_of_no_tenant(event(EventKind::Created, (user, id)));
    write.audit(fact("identity:link", id));
    Ok(row)
}

/// The issuer's organization with the person in it, in the role that the issuer gives, or that of an invitation.
async fn settle_in_tx(
    write: &mut Write,
    (user, email): (UserId, Option<&EmailAddress>),
    place: Place,
) -> Result<Seen, Error<IdentityError>> {
    let Place { organization, role, first_role } = place;
    let org: OrgId = organization.organization.id;
    write.act_in(org).await?;
    // Who was invited joins as what was offered, whatever role the issuer gives to those who come by themselves.
    let offered = match email {
        Some(email) => invitation::accept_pending_in_tx(write, (org, user), email).await?,
        None => None,
    };
    let role: Option<Role> = match offered {
        Some(offered) => Some(offered),
        None => membership::settle_in_tx(write, (org, user), role, first_role).await?,
    };
    let role = role.ok_or(IdentityError::NoRole)?;
    Ok(Seen { role: Some(role), ..organization })
}

/// Ends the caller's session, and says where to send the browser to end the issuer's too, if it has such a place.
pub(crate) async fn sign_out(
    session: &Session,
    authority: &Authority,
    oidc: &Oidc,
    redirect_uri: Option<&str>,
) -> Result<(SessionId, Option<String>), Error<IdentityError>> {
    session.caller().require_user()?;
    if let Some(uri) = redirect_uri
        && !oidc.config.post_logout_redirect_uris.iter().any(|page| page == uri)
    {
        return Err(IdentityError::LogoutUri(uri.chars().take(200).collect()).into());
    }
    let key = session::provider_of(session).await?;
    let ended = session::sign_out(session).await.map_err(|error| {
        // Signing out of what has ended is no error: there is nothing that it could be.
        error.map_client(|_| IdentityError::Attempt)
    })?;
    let Some(key) = key else { return Ok((ended, None)) };
    session.forget().await;
    let provider = match provider(session, (oidc, &authority.sealer), &key).await {
        Ok(provider) => provider,
        // It is gone: then nobody can be sent there.
        Err(Error::Client(IdentityError::NoSuchProvider)) => return Ok((ended, None)),
        Err(error) => return Err(error),
    };
    // The session has ended here in any case.
    match oidc.end_session_url(&provider, redirect_uri).await {
        Ok(url) => Ok((ended, url.map(String::from))),
        Err(error) => {
            tracing::info!(issuer = provider.issuer, %error, "nobody can be signed out at an issuer");
            Ok((ended, None))
        }
    }
}
