//! Setting another password: with the old one, or with a letter.

use pulse_graphql::Error;
use pulse_store::{AuditFact, EventKind, Session, Write};
use pulse_types::{Refusal, Secret, SessionId, UserId};

use super::repo::{self, UserChange};
use super::{EmailAddress, NewPassword, NewPasswordError, SUBJECT, event, proof};
use crate::authority::Authority;
use crate::mail::{Letter, SealedAddress};
use crate::one_time_token::{self, InvalidToken, Purpose};
use crate::session;
use crate::throttle::{self, Attempt};

/// Sends a letter to the address, if anybody has it. That is found out later, so that asking says nothing about it, neither
/// by its answer nor by the time that it takes.
pub(crate) async fn request_reset(
    session: &Session,
    authority: &Authority,
    email: &str,
) -> Result<(), Error<NewPasswordError>> {
    let email = EmailAddress::try_new(email).map_err(NewPasswordError::from)?;
    let nobody = throttle::nobody(session);
    let mut write = nobody.write().await?;
    let attempt = Attempt::to_be_written_to(nobody.caller(), &authority.sealer, email.as_str());
    attempt.count_in_tx(&mut write).await?.map_err(NewPasswordError::from)?;
    let address = SealedAddress::new(&authority.sealer, &email);
    write.enqueue(Letter::ResetPassword { address }.job());
    let fact =
        AuditFact { action: "password_reset:request", subject: SUBJECT, key: None, version: None, items: 1 };
    Ok(write.commit(fact).await?)
}

/// Sets the password with a token. Whoever was signed in, is no more.
pub(crate) async fn reset(
    session: &Session,
    authority: &Authority,
    token: &Secret,
    password: Secret,
) -> Result<(), Error<NewPasswordError>> {
    let found = one_time_token::find::<NewPasswordError>(session, Purpose::ResetPassword, token).await?;
    let own = super::find(&found.person, &[found.user]).await?.remove(&found.user);
    let name = own.map(|row| row.name).unwrap_or_default();
    found.person.forget().await;
    let password = NewPassword::try_new(password, (&found.address, &name)).map_err(NewPasswordError::from)?;
    let hash = authority.passwords.hash(password).await.map_err(Error::internal)?;
    let mut write = found.take::<NewPasswordError>().await?;
    let change = UserChange::verified(write.now(), &found.address);
    let row = repo::update_in_tx(&mut write, found.user, change).await?;
    let row = row.ok_or(NewPasswordError::Token(InvalidToken))?;
    write.event_of_no_tenant(event(EventKind::Updated, &row, vec!["emailVerified"]));
    set_in_tx(write, found.user, &hash, (None, "password:reset")).await
}

/// Sets the password of the caller, who knows the old one. Its other sessions end.
pub(crate) async fn change(
    session: &Session,
    authority: &Authority,
    (old, new): (Secret, Secret),
) -> Result<(), Error<NewPasswordError>> {
    let user = session.caller().require_user()?;
    let row = super::find(session, &[user]).await?.remove(&user).ok_or(Refusal::Unauthenticated)?;
    let email = EmailAddress::try_new(&row.email).map_err(Error::internal)?;
    let new = NewPassword::try_new(new, (&email, &row.name)).map_err(NewPasswordError::NewPassword)?;
    proof::show(session, authority, (user, &email), old).await?;
    let hash = authority.passwords.hash(new).await.map_err(Error::internal)?;
    set_in_tx(session.write().await?, user, &hash, (session.caller().session, "password:change")).await
}

/// Everything that could be done with the old password is over, but for the session that goes on.
async fn set_in_tx(
    mut write: Write,
    user: UserId,
    hash: &str,
    (goes_on, action): (Option<SessionId>, &'static str),
) -> Result<(), Error<NewPasswordError>> {
    repo::set_password_in_tx(&mut write, user, hash).await?;
    one_time_token::forget_in_tx(&mut write, user).await?;
    session::end_all_in_tx(&mut write, user, goes_on, session::EndReason::PasswordChanged).await?;
    write.enqueue(Letter::PasswordChanged { user }.job());
    let key = Some(user.uuid());
    Ok(write.commit(AuditFact { action, subject: SUBJECT, key, version: None, items: 1 }).await?)
}
