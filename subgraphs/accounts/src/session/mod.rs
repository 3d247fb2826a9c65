//! Sessions: signing in, going on, acting in another organization, ending. A session is one family of refresh tokens.

mod challenges;
mod devices;
mod entity;
mod error;
mod magic_link;
mod repo;
mod second_step;
mod vouched;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::Error;
use pulse_store::{AuditFact, Event, EventKind, Session, StoreError, Write};
use pulse_tokens::AccessClaims;
use pulse_types::{Caller, OrgId, Refusal, Secret, SessionId, UserId};
use serde_json::json;

pub(crate) use devices::{count, end_one, end_others, page};
pub(crate) use entity::{EndReason, SessionRow};
pub(crate) use error::{MagicLinkError, SecondStepError, SessionError, SignInError};
pub(crate) use magic_link::{request as request_magic_link, sign_in as sign_in_with_link};
pub(crate) use second_step::{Challenge, Entered, SecondFactor, complete, enter_at_once, enter_vouched};
pub(crate) use vouched::{VouchedBy, confinement, end_begun_by_in_tx, provider_of};

use self::entity::TokenRow;
use crate::authority::Authority;
use crate::creation::Creation;
use crate::invitation;
use crate::mail::Letter;
use crate::organization::{self, OwnOrganizationRow, Seen};
use crate::throttle::{self, Attempt};
use crate::token::{RandomToken, TokenHash, TokenKind};
use crate::user::{self, EmailAddress, NewUser, Proven, UserError, UserRow};

pub(crate) const SUBJECT: &str = "accounts.session";

/// What somebody who has signed in gets.
pub(crate) struct SignedIn {
    pub(crate) access_token: Secret,
    pub(crate) access_token_expires_at: DateTime<Utc>,
    /// `None` where the one that the client has goes on being valid.
    pub(crate) refresh_token: Option<Secret>,
    pub(crate) user: UserRow,
    pub(crate) organization: Option<Seen>,
}

/// Makes a user and signs it in. A request that is repeated under its key signs in again; that an address is taken is
/// said, since registering could not hide it before addresses are confirmed by mail. Whoever has the letter of an invitation
/// gets the mail of its address, and is a member at once.
pub(crate) async fn register(
    session: &Session,
    authority: &Authority,
    (email, password, name): (&str, Secret, &str),
    (key, invitation): (Option<String>, Option<Secret>),
) -> Result<SignedIn, Error<UserError>> {
    let new = NewUser::try_new(email, password.clone(), name)?;
    let creation = key.map(|key| Creation::try_new("accounts.register", key, &(&new.email, &new.name)));
    let creation = creation.transpose().map_err(UserError::from)?;
    let nobody = throttle::nobody(session);
    let attempt = Attempt::to_register(nobody.caller(), &authority.sealer, new.email.as_str());
    attempt.check(&nobody).await?.map_err(UserError::from)?;
    let invited = match invitation {
        Some(token) => Some(invitation::invited(session, &token, &new.email).await),
        None => None,
    };
    let hash = authority.passwords.hash(new.password).await.map_err(Error::internal)?;
    let id = UserId::new(session.store().clock().now());
    let person = acting_as(session, id);
    let mut write = person.write().await?;
    let mut row = match user::insert_in_tx(&mut write, id, (&new.email, &new.name), &hash).await {
        Err(Error::Client(UserError::AddressTaken)) => {
            drop(write);
            let mut refused = nobody.write().await?;
            attempt.failed_in_tx(&mut refused).await?;
            refused.commit(of_nobody("user:refuse")).await?;
            let creation = creation.ok_or(UserError::AddressTaken)?;
            return register_again(session, authority, (&new.email, password), &creation).await;
        }
        row => row?,
    };
    // Said only now: whoever repeats what has made them a member has an invitation that is good no more.
    let invited = invited.transpose().map_err(|error| error.map_client(UserError::from))?;
    if let Some(creation) = creation {
        creation.claim_in_tx(&mut write, id, id.uuid()).await?;
    }
    let place = invited.as_ref().map(|invited| invited.organization.organization.id);
    let opened = open_in_tx(&mut write, authority, (id, person.caller()), place).await;
    let (opened, token) = opened.map_err(internal)?;
    attempt.failed_in_tx(&mut write).await.map_err(Error::internal)?;
    let organization = if let Some(invited) = invited {
        row = user::confirm_in_tx(&mut write, id, &new.email).await?;
        let joined = invitation::accept_by_letter_in_tx(&mut write, id, invited).await;
        Some(joined.map_err(|error| error.map_client(UserError::from))?)
    } else {
        write.enqueue(Letter::VerifyEmail { user: id }.job());
        None
    };
    write.audit(user::fact("user:create", &row));
    let now = write.now();
    write.commit(fact("session:create", opened)).await?;
    grant(authority, (row, opened), organization, (Some(token), now)).await
}

/// Whether a taken address was taken by this very request before: then the client gets a session, as the first time.
async fn register_again(
    session: &Session,
    authority: &Authority,
    (email, password): (&EmailAddress, Secret),
    creation: &Creation,
) -> Result<SignedIn, Error<UserError>> {
    let taken = || Error::Client(UserError::AddressTaken);
    let proven = user::check(session, &authority.passwords, Some(email), password).await;
    let proven = proven.map_err(internal)?.ok_or_else(taken)?;
    let person = acting_as(session, proven.user);
    let mut write = person.write().await?;
    creation.made_before_in_tx(&mut write, proven.user).await?.ok_or_else(taken)?;
    drop(write);
    let first = organization::own(&person).await?.into_iter().next();
    match begin(&person, authority, (&proven, None), first).await.map_err(internal)? {
        Entered::SignedIn(signed_in) => Ok(*signed_in),
        // By now there is more to it than having registered.
        Entered::Challenged(_) => Err(taken()),
    }
}

/// Signs somebody in, to act in the organization of `slug`, else in the one joined first. Whoever has a second factor is
/// asked for it first.
pub(crate) async fn sign_in(
    session: &Session,
    authority: &Authority,
    (email, password): (&str, Secret),
    slug: Option<&str>,
) -> Result<Entered, Error<SignInError>> {
    let address = EmailAddress::try_new(email).ok();
    let login = address.as_ref().map_or(email, EmailAddress::as_str);
    let nobody = throttle::nobody(session);
    let attempt = Attempt::to_sign_in(&nobody, &authority.sealer, login).await?;
    attempt.check(&nobody).await?.map_err(SignInError::from)?;
    let proven = user::check(session, &authority.passwords, address.as_ref(), password).await;
    let Some(proven) = proven.map_err(internal)? else {
        let mut write = nobody.write().await?;
        attempt.failed_in_tx(&mut write).await?;
        write.commit(of_nobody("session:refuse")).await?;
        return Err(SignInError::Wrong.into());
    };
    // Of many who guess at once, those that are answered after too many others have failed learn nothing.
    attempt.check(&nobody).await?.map_err(SignInError::from)?;
    let person = acting_as(session, proven.user);
    let own = organization::own(&person).await?;
    let chosen = match slug {
        Some(slug) => {
            Some(own.into_iter().find(|own| own.organization.slug == slug).ok_or(SignInError::Wrong)?)
        }
        None => own.into_iter().next(),
    };
    begin(&person, authority, (&proven, Some(&attempt)), chosen).await.map_err(internal)
}

/// Exchanges a refresh token for the next one, with a new access token for the organization that the session acts in.
pub(crate) async fn refresh(
    session: &Session,
    authority: &Authority,
    token: &Secret,
) -> Result<SignedIn, Error<SessionError>> {
    let hash = TokenHash::of(token);
    let user = repo::token_user(&anonymous(session), hash).await?.ok_or(SessionError::InvalidToken)?;
    let person = acting_as(session, user);
    let own = organization::own(&person).await?;
    let row = own_row(&person, user).await?;
    let mut write = person.write().await?;
    let found = repo::lock_token_in_tx(&mut write, user, hash).await?.ok_or(SessionError::InvalidToken)?;
    let key = (user, found.session_id);
    match judge(&found, write.now(), authority) {
        Err(SessionError::Reused) => {
            end(write, key, EndReason::TokenReused).await?;
            return Err(SessionError::Reused.into());
        }
        judged => judged?,
    }
    repo::rotate_in_tx(&mut write, key, hash).await?;
    repo::use_in_tx(&mut write, key, person.caller().origin.as_deref()).await?;
    let token = give_token_in_tx(&mut write, authority, key).await?;
    let now = write.now();
    write.commit(fact("session:refresh", found.session_id)).await?;
    // The person may have left the organization: then the session goes on without one.
    let organization =
        own.into_iter().find(|own| Some(own.organization.id) == found.organization).map(Seen::from);
    grant(authority, (row, found.session_id), organization, (Some(token), now)).await
}

/// An access token for another organization of the caller's. The session, and so each refresh, goes on there.
pub(crate) async fn switch(
    session: &Session,
    authority: &Authority,
    organization: OrgId,
) -> Result<SignedIn, Error<SessionError>> {
    let key @ (user, id) = signed_in(session.caller())?;
    let person = acting_as(session, user);
    let own = organization::own(&person).await?;
    let chosen = own.into_iter().find(|own| own.organization.id == organization);
    let chosen = chosen.ok_or(SessionError::NoSuchOrganization)?;
    if vouched::of(&person, key).await?.is_some_and(|only| only != organization) {
        return Err(SessionError::Confined.into());
    }
    let row = own_row(&person, user).await?;
    let mut write = person.write().await?;
    if !repo::switch_in_tx(&mut write, key, organization).await? {
        return Err(SessionError::Ended.into());
    }
    let now = write.now();
    write.commit(fact("session:switch", id)).await?;
    grant(authority, (row, id), Some(chosen.into()), (None, now)).await
}

/// Ends the caller's session. Ending it twice is no error.
pub(crate) async fn sign_out(session: &Session) -> Result<SessionId, Error<SessionError>> {
    let key @ (user, id) = signed_in(session.caller())?;
    let write = acting_as(session, user).write().await?;
    end(write, key, EndReason::SignedOut).await?;
    Ok(id)
}

fn signed_in(caller: &Caller) -> Result<(UserId, SessionId), Refusal> {
    let user = caller.require_user()?;
    Ok((user, caller.session.ok_or(Refusal::Unauthenticated)?))
}

/// A session of nobody, for what is looked up before anybody is known.
fn anonymous(session: &Session) -> Session {
    session.store().session(Arc::new(Caller::anonymous(session.caller().request)))
}

/// A session of this person in no tenant: sessions belong to people.
pub(crate) fn acting_as(session: &Session, user: UserId) -> Session {
    session.store().session(Arc::new(user::caller(user, session.caller())))
}

async fn own_row<E>(person: &Session, user: UserId) -> Result<UserRow, Error<E>> {
    user::find(person, &[user]).await?.remove(&user).ok_or(Error::Refused(Refusal::Unauthenticated))
}

/// Opens a session of a person whose credential was just checked, or asks for its second factor.
async fn begin(
    person: &Session,
    authority: &Authority,
    (proven, attempt): (&Proven, Option<&Attempt>),
    organization: Option<OwnOrganizationRow>,
) -> Result<Entered, Error> {
    let row = own_row(person, proven.user).await?;
    let mut write = person.write().await?;
    proven.refresh_in_tx(&mut write).await?;
    if let Some(attempt) = attempt {
        attempt.succeeded_in_tx(&mut write).await?;
    }
    second_step::enter(write, authority, (row, person.caller()), organization.map(Seen::from)).await
}

/// Every way in but that by an issuer ends here: somebody who is about to be erased is refused, whatever was proven.
async fn open_in_tx(
    write: &mut Write,
    authority: &Authority,
    (user, caller): (UserId, &Caller),
    organization: Option<OrgId>,
) -> Result<(SessionId, Secret), Error> {
    let id = SessionId::new(write.now());
    if !repo::insert_in_tx(write, (user, id), organization).await? {
        return Err(Refusal::Unauthenticated.into());
    }
    repo::use_in_tx(write, (user, id), caller.origin.as_deref()).await?;
    // A session belongs to a person, in whatever tenant the write acts in the end.
    write.event_of_no_tenant(event(EventKind::Created, (user, id)));
    let token = give_token_in_tx(write, authority, (user, id)).await?;
    Ok((id, token))
}

async fn give_token_in_tx(
    write: &mut Write,
    authority: &Authority,
    key: (UserId, SessionId),
) -> Result<Secret, StoreError> {
    let RandomToken { token, hash } = RandomToken::new(TokenKind::Refresh);
    let lifetime =
        TimeDelta::from_std(authority.config.refresh_token_lifetime).unwrap_or(TimeDelta::days(30));
    repo::insert_token_in_tx(write, key, hash, lifetime).await?;
    Ok(token)
}

/// Whether the token can be exchanged now.
fn judge(token: &TokenRow, now: DateTime<Utc>, authority: &Authority) -> Result<(), SessionError> {
    if token.ended_at.is_some() || token.expires_at <= now {
        return Err(SessionError::InvalidToken);
    }
    match token.rotated_at {
        None => Ok(()),
        // Negative when this request began before the other one's commit: no time at all.
        Some(at) if (now - at).to_std().unwrap_or_default() < authority.config.refresh_race_window => {
            Err(SessionError::JustExchanged)
        }
        Some(_) => Err(SessionError::Reused),
    }
}

async fn end(mut write: Write, key: (UserId, SessionId), reason: EndReason) -> Result<(), StoreError> {
    if repo::end_in_tx(&mut write, key, reason).await? {
        write.event(event(EventKind::Deleted, key));
        write.commit(fact("session:end", key.1)).await?;
    }
    Ok(())
}

/// Ends the sessions of a person, but for the one that goes on; which. What was begun and waits for a second factor ends too.
pub(crate) async fn end_all_in_tx(
    write: &mut Write,
    user: UserId,
    goes_on: Option<SessionId>,
    reason: EndReason,
) -> Result<Vec<SessionId>, StoreError> {
    let ended = repo::end_all_in_tx(write, user, goes_on, reason).await?;
    challenges::forget_in_tx(write, user).await?;
    for id in &ended {
        write.event(event(EventKind::Deleted, (user, *id)));
        write.audit(fact("session:end", *id));
    }
    Ok(ended)
}

/// The tokens of a session, and whom and what they are for.
async fn grant<E>(
    authority: &Authority,
    (user, session): (UserRow, SessionId),
    organization: Option<Seen>,
    (refresh_token, now): (Option<Secret>, DateTime<Utc>),
) -> Result<SignedIn, Error<E>> {
    let role = |seen: &Seen| seen.role.map(|role| (seen.organization.id, role));
    let claims = match organization.as_ref().and_then(role) {
        Some((org, role)) => {
            let held = authority.access.of_member(org, (user.id, role)).await?;
            let claims = AccessClaims::new(user.id, session, Some((org, &held.scopes)), now);
            claims.with_rights(!held.rights.is_none()).until(held.until)
        }
        None => AccessClaims::new(user.id, session, None, now),
    };
    Ok(SignedIn {
        access_token: Secret::new(authority.sign(&claims)?),
        access_token_expires_at: DateTime::from_timestamp(claims.exp, 0).unwrap_or(now),
        refresh_token,
        user,
        organization,
    })
}

/// The same error where there is more that a caller can get wrong.
fn internal<E>(error: Error) -> Error<E> {
    error.map_client(|never| match never {})
}

/// Something that nobody who is known has done.
fn of_nobody(action: &'static str) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: None, version: None, items: 1 }
}

fn fact(action: &'static str, session: SessionId) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(session.uuid()), version: None, items: 1 }
}

/// A session begins with version 1 and ends with 2. Who keeps access tokens verified routes by the person.
fn event(kind: EventKind, (user, session): (UserId, SessionId)) -> Event {
    let version = if kind == EventKind::Deleted { 2 } else { 1 };
    let attributes = json!({ "user": user });
    Event {
        kind,
        subject: SUBJECT,
        key: session.uuid(),
        version,
        changed: vec![],
        attributes,
        before: json!(null),
    }
}
