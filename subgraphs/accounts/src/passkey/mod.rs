//! Passkeys: keys in people's devices, which sign in by themselves. Each demands that the device knows its person, so that a
//! passkey is both factors at once.

mod ceremony;
mod error;
mod repo;

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_store::{AuditFact, Session, StoreError, Write};
use pulse_types::{PasskeyId, Refusal, Secret, Tag, UserId};
use serde_json::{Map, Value};

pub(crate) use ceremony::{Asked, Site};
pub(crate) use error::PasskeyError;
pub(crate) use repo::PasskeyRow;

use self::ceremony::Claim;
use crate::authority::Authority;
use crate::factor;
use crate::mail::FactorNews;
use crate::name::Name;
use crate::organization::{self, Seen};
use crate::session::{self, SecondStepError, SignedIn};
use crate::throttle;
use crate::token::TokenHash;
use crate::user::{self, EmailAddress};

/// How many a person can have.
const MOST: i64 = 20;

/// For how long a browser may take to answer.
const ANSWERED_WITHIN: TimeDelta = TimeDelta::minutes(5);

/// The caller's passkeys.
pub(crate) async fn all(session: &Session) -> Result<Vec<PasskeyRow>, StoreError> {
    let Some(user) = session.caller().user() else { return Ok(vec![]) };
    session.tag(|| Tag::row(user::SUBJECT, user.uuid()));
    repo::all(session, user).await
}

/// Asks the browser of the caller, who knows its password, for a new passkey.
pub(crate) async fn begin(
    session: &Session,
    authority: &Authority,
    password: Secret,
) -> Result<Asked, Error<PasskeyError>> {
    let user = session.caller().require_user()?;
    let row = user::find(session, &[user]).await?.remove(&user).ok_or(Refusal::Unauthenticated)?;
    let email = EmailAddress::try_new(&row.email).map_err(Error::internal)?;
    user::show_password(session, authority, (user, &email), password).await?;
    let known = repo::credential_ids(session, user).await?;
    session.forget().await;
    authority.site.ask_for_new(&row, known).map_err(Error::internal)
}

/// Keeps the passkey that the caller's browser has made.
pub(crate) async fn finish(
    session: &Session,
    authority: &Authority,
    (ceremony, answer): (&Secret, &Map<String, Value>),
    name: &str,
) -> Result<PasskeyRow, Error<PasskeyError>> {
    let user = session.caller().require_user()?;
    let name = Name::try_new(name).map_err(PasskeyError::from)?;
    let kept = authority.site.take_new(user, ceremony, answer)?;
    let mut write = session.write().await?;
    let id = PasskeyId::new(write.now());
    let row = match repo::insert_in_tx(&mut write, (user, id), (&kept, &name), MOST).await {
        Err(error) if error.is_duplicate_of("passkeys_credential") => return Err(PasskeyError::Taken.into()),
        row => row?.ok_or(PasskeyError::TooMany(MOST))?,
    };
    factor::changed_in_tx(&mut write, session, (user, FactorNews::NewPasskey)).await?;
    write.commit(fact("passkey:create", user)).await?;
    Ok(row)
}

/// Calls one of the caller's passkeys something else.
pub(crate) async fn rename(
    session: &Session,
    id: PasskeyId,
    name: &str,
) -> Result<PasskeyRow, Error<PasskeyError>> {
    let user = session.caller().require_user()?;
    let name = Name::try_new(name).map_err(PasskeyError::from)?;
    let mut write = session.write().await?;
    let row = repo::rename_in_tx(&mut write, (user, id), &name).await?;
    let row = row.ok_or(PasskeyError::NoSuchPasskey)?;
    factor::touch_in_tx(&mut write, user, "passkeys").await?;
    write.commit(fact("passkey:update", user)).await?;
    Ok(row)
}

/// Takes one of the caller's passkeys away: it signs nobody in any more, and what it has signed in elsewhere ends.
pub(crate) async fn remove(session: &Session, id: PasskeyId) -> Result<PasskeyId, Error<PasskeyError>> {
    let user = session.caller().require_user()?;
    let mut write = session.write().await?;
    if !repo::remove_in_tx(&mut write, (user, id)).await? {
        return Err(PasskeyError::NoSuchPasskey.into());
    }
    factor::changed_in_tx(&mut write, session, (user, FactorNews::PasskeyRemoved)).await?;
    write.commit(fact("passkey:delete", user)).await?;
    Ok(id)
}

/// Asks a browser of whoever it is for a passkey.
pub(crate) async fn begin_sign_in(
    session: &Session,
    authority: &Authority,
) -> Result<Asked, Error<PasskeyError>> {
    let asked = authority.site.ask_who().map_err(Error::internal)?;
    let mut write = throttle::nobody(session).write().await?;
    let expires_at = write.now() + ANSWERED_WITHIN;
    repo::insert_ceremony_in_tx(&mut write, TokenHash::of(&asked.ceremony), expires_at).await?;
    let (action, subject) = ("passkey:ask", user::SUBJECT);
    write.commit(AuditFact { action, subject, key: None, version: None, items: 1 }).await?;
    Ok(asked)
}

/// Begins a session with a passkey, to act in the organization of `slug`, else in the one joined first. Whose passkey it is
/// says its device; nothing is told before that is proven.
pub(crate) async fn sign_in(
    session: &Session,
    authority: &Authority,
    (ceremony, answer): (&Secret, &Map<String, Value>),
    slug: Option<&str>,
) -> Result<SignedIn, Error<PasskeyError>> {
    let claim = Claim::parse(answer)?;
    let person = session::acting_as(session, claim.user);
    let own = organization::own(&person).await?;
    let row = user::find(&person, &[claim.user]).await?.remove(&claim.user).ok_or(PasskeyError::Wrong)?;
    let mut write = person.write().await?;
    if !repo::take_ceremony_in_tx(&mut write, TokenHash::of(ceremony)).await? {
        return Err(PasskeyError::Ceremony.into());
    }
    let key = repo::lock_in_tx(&mut write, (claim.user, &claim.credential_id)).await?;
    let key = key.ok_or(PasskeyError::Wrong)?;
    let state = authority.site.verify(ceremony, &claim, &key)?;
    repo::use_in_tx(&mut write, (claim.user, key.id), &state).await?;
    let chosen = match slug {
        Some(slug) => {
            let named = own.into_iter().find(|own| own.organization.slug == slug);
            Some(named.ok_or(PasskeyError::NoSuchOrganization)?)
        }
        None => own.into_iter().next(),
    };
    session::enter_at_once(write, authority, (row, person.caller()), chosen.map(Seen::from)).await
}

/// Whether the person has one.
pub(crate) async fn has_any_in_tx(write: &mut Write, user: UserId) -> Result<bool, StoreError> {
    repo::has_any_in_tx(write, user).await
}

/// Uses a passkey of the person's as the second of two factors: the answer to a ceremony of `beginPasskeySignIn`. `false` for one of
/// somebody else's, and for an answer that is not right.
pub(crate) async fn take_in_tx(
    write: &mut Write,
    authority: &Authority,
    user: UserId,
    (ceremony, answer): (&Secret, &Map<String, Value>),
) -> Result<bool, Error<SecondStepError>> {
    let claim = Claim::parse(answer).map_err(SecondStepError::from)?;
    if !repo::take_ceremony_in_tx(write, TokenHash::of(ceremony)).await? {
        return Err(SecondStepError::from(PasskeyError::Ceremony).into());
    }
    if claim.user != user {
        return Ok(false);
    }
    let Some(key) = repo::lock_in_tx(write, (user, &claim.credential_id)).await? else { return Ok(false) };
    match authority.site.verify(ceremony, &claim, &key) {
        Ok(state) => {
            repo::use_in_tx(write, (user, key.id), &state).await?;
            Ok(true)
        }
        Err(PasskeyError::Wrong) => Ok(false),
        Err(error) => Err(SecondStepError::from(error).into()),
    }
}

fn fact(action: &'static str, user: UserId) -> AuditFact {
    AuditFact { action, subject: user::SUBJECT, key: Some(user.uuid()), version: None, items: 1 }
}
