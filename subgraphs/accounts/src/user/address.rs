//! Addresses: showing that one is yours, and having another one.

use pulse_graphql::Error;
use pulse_sealing::Sealer;
use pulse_store::{AuditFact, EventKind, Session};
use pulse_types::{Refusal, Secret, UserId};

use super::repo::{self, UserChange};
use super::{AddressError, EmailAddress, SUBJECT, UserRow, event, fact, proof};
use crate::authority::Authority;
use crate::mail::{Letter, SealedAddress};
use crate::one_time_token::{self, InvalidToken, Purpose};

/// Has the letter sent again by which the caller shows that its address is its own.
pub(crate) async fn request_verification(session: &Session) -> Result<(), Error> {
    let user = session.caller().require_user()?;
    let mut write = session.write().await?;
    write.enqueue(Letter::VerifyEmail { user }.job());
    Ok(write.commit(asked("email_verification:request", user)).await?)
}

/// Takes a token for the proof that its person's address is its own.
pub(crate) async fn verify(session: &Session, token: &Secret) -> Result<UserRow, Error<InvalidToken>> {
    let found = one_time_token::find::<InvalidToken>(session, Purpose::VerifyEmail, token).await?;
    let mut write = found.take::<InvalidToken>().await?;
    let change = UserChange::verified(write.now(), &found.address);
    // Changed meanwhile: the token proves another address.
    let row = repo::update_in_tx(&mut write, found.user, change).await?.ok_or(InvalidToken)?;
    write.event_of_no_tenant(event(EventKind::Updated, &row, vec!["emailVerified"]));
    write.commit(fact("user:verify_email", &row)).await?;
    Ok(row)
}

/// Sends a letter to the address that the caller wants to have, if it knows its password.
pub(crate) async fn request_change(
    session: &Session,
    authority: &Authority,
    email: &str,
    password: Secret,
) -> Result<(), Error<AddressError>> {
    let user = session.caller().require_user()?;
    let new = EmailAddress::try_new(email).map_err(AddressError::from)?;
    let row = super::find(session, &[user]).await?.remove(&user).ok_or(Refusal::Unauthenticated)?;
    let own = EmailAddress::try_new(&row.email).map_err(Error::internal)?;
    proof::show(session, authority, (user, &own), password).await?;
    let mut write = session.write().await?;
    let address = SealedAddress::new(&authority.sealer, &new);
    write.enqueue(Letter::ChangeEmail { user, address }.job());
    Ok(write.commit(asked("email_change:request", user)).await?)
}

/// Takes a token for the proof that its person gets the mail of the address that it wants to have, which it has from then
/// on. Everything that was sent to the address of before is worth nothing any more.
pub(crate) async fn confirm_change(
    session: &Session,
    sealer: &Sealer,
    token: &Secret,
) -> Result<UserRow, Error<AddressError>> {
    let found = one_time_token::find::<AddressError>(session, Purpose::ChangeEmail, token).await?;
    let before = super::find(&found.person, &[found.user]).await?.remove(&found.user);
    let before = before.and_then(|row| EmailAddress::try_new(&row.email).ok());
    let before = before.ok_or(Refusal::Unauthenticated)?;
    let mut write = found.take::<AddressError>().await?;
    let change = UserChange::moved(write.now(), &before, &found.address);
    let row = match repo::update_in_tx(&mut write, found.user, change).await {
        Err(error) if error.is_duplicate_of("users_email") => return Err(AddressError::Taken.into()),
        row => row?.ok_or(AddressError::Token(InvalidToken))?,
    };
    one_time_token::forget_in_tx(&mut write, found.user).await?;
    let address = SealedAddress::new(sealer, &before);
    write.enqueue(Letter::EmailChanged { user: found.user, address }.job());
    write.event_of_no_tenant(event(EventKind::Updated, &row, vec!["email", "emailVerified"]));
    write.commit(fact("user:change_email", &row)).await?;
    Ok(row)
}

fn asked(action: &'static str, user: UserId) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(user.uuid()), version: None, items: 1 }
}
