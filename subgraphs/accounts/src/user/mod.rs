//! People: registering, being found, changing oneself.

mod address;
mod email;
mod entity;
mod error;
mod new_password;
mod password;
mod proof;
mod repo;
mod strength;

use std::collections::HashMap;
use std::sync::Arc;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Event, EventKind, Reading, Session, StoreError, Write};
use pulse_types::{Caller, Permission, Refusal, Secret, Subject, Tag, UserId};
use serde_json::json;

pub(crate) use address::{confirm_change, request_change, request_verification, verify};
pub(crate) use email::{EmailAddress, InvalidEmail};
pub(crate) use entity::UserRow;
pub use error::UserError;
pub(crate) use error::{AddressError, NewPasswordError, ProofError};
pub(crate) use new_password::{change as change_password, request_reset, reset as reset_password};
pub use password::PasswordHashError;
pub(crate) use password::{InvalidPassword, NewPassword, Passwords};
pub(crate) use proof::{Proven, check, show, show as show_password};

use self::repo::UserChange;
use crate::membership;
use crate::name::Name;

pub(crate) const SUBJECT: &str = "accounts.user";

/// That somebody else's address was seen.
const READ: Reading = Reading { action: "user:read", again: "user:read_again", subject: SUBJECT };

/// Somebody who registers, with everything checked.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    pub(crate) email: EmailAddress,
    pub(crate) password: NewPassword,
    pub(crate) name: Name,
}

impl NewUser {
    /// Checks what somebody has given.
    pub(crate) fn try_new(email: &str, password: Secret, name: &str) -> Result<Self, UserError> {
        let email = EmailAddress::try_new(email)?;
        // The name comes last of what can be wrong, whatever it is good for before.
        let name = Name::try_new(name)?;
        let password = NewPassword::try_new(password, (&email, name.as_str()))?;
        Ok(Self { email, password, name })
    }
}

/// The users with these ids that the caller may see: itself, and the members of its tenant with `member:read`.
pub(crate) async fn find(session: &Session, ids: &[UserId]) -> Result<HashMap<UserId, UserRow>, StoreError> {
    let members = session.caller().require(&Permission::MEMBER_READ).is_ok();
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    let others = ids.iter().filter(|id| members && session.caller().user() != Some(**id));
    session.tag_all(others.map(|id| Tag::row(membership::SUBJECT, id.uuid())));
    let rows = repo::visible(session, ids, members).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The users with these ids who are members of the tenant, for a caller who was found to be allowed to see them.
pub(crate) async fn find_members(
    session: &Session,
    ids: &[UserId],
) -> Result<HashMap<UserId, UserRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(SUBJECT, id.uuid())));
    session.tag_all(ids.iter().map(|id| Tag::row(membership::SUBJECT, id.uuid())));
    let rows = repo::visible(session, ids, true).await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Writes down that the caller is shown the address of somebody else, when it is one.
pub(crate) fn look_at_address(session: &Session, id: UserId) {
    if session.caller().user() != Some(id) {
        session.look(READ.of(id.uuid()));
    }
}

/// What an answer of [`find`] about one of the users is made of.
pub(crate) fn tags_of(caller: &Caller, id: UserId) -> Vec<Tag> {
    let mut tags = vec![Tag::row(SUBJECT, id.uuid())];
    if caller.require(&Permission::MEMBER_READ).is_ok() && caller.user() != Some(id) {
        tags.push(Tag::row(membership::SUBJECT, id.uuid()));
    }
    tags
}

/// The id of whoever has registered with this address.
pub(crate) async fn by_email(session: &Session, email: &EmailAddress) -> Result<Option<UserId>, StoreError> {
    repo::by_email(session, email).await
}

/// Makes the user, in a write that acts as it.
pub(crate) async fn insert_in_tx(
    write: &mut Write,
    id: UserId,
    (email, name): (&EmailAddress, &Name),
    password_hash: &str,
) -> Result<UserRow, Error<UserError>> {
    let row = match repo::insert_in_tx(write, id, (email, name), password_hash).await {
        Err(error) if error.is_duplicate_of("users_email") => return Err(UserError::AddressTaken.into()),
        row => row?,
    };
    write.event_of_no_tenant(event(EventKind::Created, &row, vec!["email", "name"]));
    Ok(row)
}

/// Makes somebody whom an issuer vouches for, without a password, in a write that acts as it.
pub(crate) async fn insert_vouched_in_tx(
    write: &mut Write,
    id: UserId,
    (email, name): (&EmailAddress, &Name),
) -> Result<UserRow, Error<UserError>> {
    let row = match repo::insert_verified_in_tx(write, id, (email, name)).await {
        Err(error) if error.is_duplicate_of("users_email") => return Err(UserError::AddressTaken.into()),
        row => row?,
    };
    write.event_of_no_tenant(event(EventKind::Created, &row, vec!["email", "emailVerified", "name"]));
    Ok(row)
}

/// Makes the user, and no session for it.
pub(crate) async fn create(
    session: &Session,
    new: &NewUser,
    password_hash: &str,
) -> Result<UserId, Error<UserError>> {
    let id = UserId::new(session.store().clock().now());
    let person = session.store().session(Arc::new(caller(id, session.caller())));
    let mut write = person.write().await?;
    let row = insert_in_tx(&mut write, id, (&new.email, &new.name), password_hash).await?;
    write.commit(fact("user:create", &row)).await?;
    Ok(id)
}

/// Gives the caller another name.
pub(crate) async fn rename(session: &Session, name: &str) -> Result<UserRow, Error<UserError>> {
    let user = session.caller().require_user()?;
    let name = Name::try_new(name).map_err(UserError::from)?;
    let mut write = session.write().await?;
    let row = repo::update_in_tx(&mut write, user, UserChange::renamed(&name)).await?;
    let row = row.ok_or(Refusal::Unauthenticated)?;
    write.event_of_no_tenant(event(EventKind::Updated, &row, vec!["name"]));
    write.commit(fact("user:update", &row)).await?;
    Ok(row)
}

/// Writes down that the address is the person's own, if it still is its address.
pub(crate) async fn verified_in_tx(
    write: &mut Write,
    user: UserId,
    address: &EmailAddress,
) -> Result<Option<UserRow>, StoreError> {
    let change = UserChange::verified(write.now(), address);
    repo::update_in_tx(write, user, change).await
}

/// The same of somebody whom the write has just made with this address.
pub(crate) async fn confirm_in_tx(
    write: &mut Write,
    user: UserId,
    address: &EmailAddress,
) -> Result<UserRow, Error<UserError>> {
    let row = verified_in_tx(write, user, address).await?.ok_or(Refusal::Unauthenticated)?;
    write.event_of_no_tenant(event(EventKind::Updated, &row, vec!["emailVerified"]));
    Ok(row)
}

/// A new version of the user, of whom something else has changed than what its row holds.
pub(crate) async fn touch_in_tx(write: &mut Write, user: UserId) -> Result<Option<UserRow>, StoreError> {
    repo::update_in_tx(write, user, UserChange::default()).await
}

/// A caller that is this person and acts in no tenant yet: for what happens before there is a token.
pub(crate) fn caller(user: UserId, asked: &Caller) -> Caller {
    let origin = asked.origin.clone();
    Caller { subject: Subject::User(user), origin, ..Caller::anonymous(asked.request) }
}

pub(crate) fn fact(action: &'static str, row: &UserRow) -> AuditFact {
    let (key, version) = (Some(row.id.uuid()), Some(row.version));
    AuditFact { action, subject: SUBJECT, key, version, items: 1 }
}

/// The same of what does not change the user itself.
pub(crate) fn fact_of(action: &'static str, user: UserId) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(user.uuid()), version: None, items: 1 }
}

/// A person belongs to no tenant, and is seen in several.
pub(crate) fn event(kind: EventKind, row: &UserRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({}),
        before: json!(null),
    }
}
