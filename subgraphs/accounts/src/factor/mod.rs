//! Second factors: the codes of an app, and recovery codes for whoever has lost it.

mod error;
mod recovery;
mod repo;
mod totp;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::Error;
use pulse_sealing::{Place, Sealer};
use pulse_store::{AuditFact, EventKind, Session, StoreError, Write};
use pulse_types::{Refusal, Secret, Tag, UserId};

pub(crate) use error::FactorError;
pub(crate) use repo::FactorRow;

use self::repo::TotpRow;
use self::totp::TotpSecret;
use crate::authority::Authority;
use crate::mail::{FactorNews, Letter};
use crate::session;
use crate::throttle::Attempt;
use crate::user::{self, EmailAddress};

/// For how long an app can be confirmed after it was begun with.
const CONFIRMED_WITHIN: TimeDelta = TimeDelta::minutes(15);

/// What an app is set up with. It is shown once.
pub(crate) struct Enrolment {
    pub(crate) secret: Secret,
    pub(crate) uri: Secret,
    /// Until when it can be confirmed.
    pub(crate) expires_at: DateTime<Utc>,
}

/// How somebody in a session shows that it is the person.
pub(crate) enum Proof {
    Password(Secret),
    Code(Secret),
}

impl Proof {
    /// Exactly one of the two.
    pub(crate) fn try_new(password: Option<String>, code: Option<String>) -> Result<Self, FactorError> {
        match (password, code) {
            (Some(password), None) => Ok(Self::Password(Secret::new(password))),
            (None, Some(code)) => Ok(Self::Code(Secret::new(code))),
            _ => Err(FactorError::OneProof),
        }
    }
}

/// The caller's second factor, if it has one.
pub(crate) async fn find(session: &Session) -> Result<Option<FactorRow>, StoreError> {
    let Some(user) = session.caller().user() else { return Ok(None) };
    session.tag(|| Tag::row(user::SUBJECT, user.uuid()));
    repo::find(session, user).await
}

/// Makes a secret for an app of the caller's, who knows its password: whoever finds an open session must not lock the person
/// out. No code is asked until the app is confirmed.
pub(crate) async fn begin(
    session: &Session,
    authority: &Authority,
    password: Secret,
) -> Result<Enrolment, Error<FactorError>> {
    let user = session.caller().require_user()?;
    let email = own_address(session, user).await?;
    user::show_password(session, authority, (user, &email), password).await?;
    let secret = TotpSecret::random();
    let mut write = session.write().await?;
    let sealed = authority.sealer.seal(&secret.to_base32(), place(user));
    if !repo::put_in_tx(&mut write, user, &sealed).await? {
        return Err(FactorError::IsOn.into());
    }
    let expires_at = write.now() + CONFIRMED_WITHIN;
    write.commit(fact("factor:begin", user)).await?;
    let uri = secret.uri(&authority.config.totp_issuer, email.as_str());
    Ok(Enrolment { secret: secret.to_base32(), uri, expires_at })
}

/// From now on a code is asked of the caller, who shows that its app makes the right ones. Its recovery codes.
pub(crate) async fn confirm(
    session: &Session,
    authority: &Authority,
    code: &Secret,
) -> Result<Vec<Secret>, Error<FactorError>> {
    let user = session.caller().require_user()?;
    let mut write = session.write().await?;
    let row = repo::lock_in_tx(&mut write, user).await?.ok_or(FactorError::NotBegun)?;
    if row.confirmed_at.is_some() {
        return Err(FactorError::IsOn.into());
    }
    if row.created_at + CONFIRMED_WITHIN <= write.now() {
        return Err(FactorError::NotBegun.into());
    }
    let secret = open(&authority.sealer, user, &row)?;
    let step = secret.step_of(code.expose(), write.now(), row.last_step).ok_or(FactorError::WrongCode)?;
    repo::use_in_tx(&mut write, user, step).await?;
    let codes = replace_codes_in_tx(&mut write, user).await?;
    changed_in_tx(&mut write, session, (user, FactorNews::On)).await?;
    write.commit(fact("factor:enable", user)).await?;
    Ok(codes)
}

/// From now on no code is asked of the caller, who shows that it is the person.
pub(crate) async fn remove(
    session: &Session,
    authority: &Authority,
    proof: Proof,
) -> Result<(), Error<FactorError>> {
    let user = session.caller().require_user()?;
    let mut write = proven(session, authority, (user, proof)).await?;
    repo::remove_in_tx(&mut write, user).await?;
    repo::put_recovery_codes_in_tx(&mut write, user, &[]).await?;
    changed_in_tx(&mut write, session, (user, FactorNews::Off)).await?;
    Ok(write.commit(fact("factor:disable", user)).await?)
}

/// New recovery codes for the caller, who shows that it is the person. Those of before are worth nothing.
pub(crate) async fn replace_codes(
    session: &Session,
    authority: &Authority,
    proof: Proof,
) -> Result<Vec<Secret>, Error<FactorError>> {
    let user = session.caller().require_user()?;
    let mut write = proven(session, authority, (user, proof)).await?;
    let codes = replace_codes_in_tx(&mut write, user).await?;
    changed_in_tx(&mut write, session, (user, FactorNews::NewRecoveryCodes)).await?;
    write.commit(fact("recovery_codes:create", user)).await?;
    Ok(codes)
}

/// Whether a second factor is asked of the person.
pub(crate) async fn is_on_in_tx(write: &mut Write, user: UserId) -> Result<bool, StoreError> {
    repo::is_on_in_tx(write, user).await
}

/// A confirmed app, which nobody else uses until the write ends.
pub(crate) struct Locked {
    user: UserId,
    row: TotpRow,
}

/// The person's app, if a code of it is asked. Lock it before anything else of the person's second factor.
pub(crate) async fn lock_in_tx(write: &mut Write, user: UserId) -> Result<Option<Locked>, StoreError> {
    let row = repo::lock_in_tx(write, user).await?.filter(|row| row.confirmed_at.is_some());
    Ok(row.map(|row| Locked { user, row }))
}

impl Locked {
    /// Uses a code of the app; whether it was right, and is used for the first time.
    pub(crate) async fn take_code_in_tx<E>(
        &self,
        write: &mut Write,
        sealer: &Sealer,
        code: &Secret,
    ) -> Result<bool, Error<E>> {
        let secret = open(sealer, self.user, &self.row)?;
        let Some(step) = secret.step_of(code.expose(), write.now(), self.row.last_step) else {
            return Ok(false);
        };
        repo::use_in_tx(write, self.user, step).await?;
        Ok(true)
    }

    /// Uses a recovery code; whether there was one.
    pub(crate) async fn take_recovery_code_in_tx(
        &self,
        write: &mut Write,
        code: &Secret,
    ) -> Result<bool, StoreError> {
        repo::take_recovery_code_in_tx(write, self.user, &recovery::hash(self.user, code)).await
    }
}

/// A write in which the app is locked and on, after the caller has shown that it is the person.
async fn proven(
    session: &Session,
    authority: &Authority,
    (user, proof): (UserId, Proof),
) -> Result<Write, Error<FactorError>> {
    let code = match proof {
        Proof::Password(password) => {
            let email = own_address(session, user).await?;
            user::show_password(session, authority, (user, &email), password).await?;
            None
        }
        Proof::Code(code) => Some((code, Attempt::to_show_factor(session, &authority.sealer, user).await?)),
    };
    let mut write = session.write().await?;
    let locked = lock_in_tx(&mut write, user).await?.ok_or(FactorError::IsOff)?;
    let Some((code, attempt)) = code else { return Ok(write) };
    attempt.check_in_tx(&mut write).await?.map_err(FactorError::from)?;
    if locked.take_code_in_tx(&mut write, &authority.sealer, &code).await? {
        attempt.succeeded_in_tx(&mut write).await?;
        return Ok(write);
    }
    attempt.failed_in_tx(&mut write).await?;
    write.commit(fact("factor:refuse", user)).await?;
    Err(FactorError::WrongCode.into())
}

async fn replace_codes_in_tx(write: &mut Write, user: UserId) -> Result<Vec<Secret>, StoreError> {
    let codes = recovery::random_codes();
    let hashes: Vec<_> = codes.iter().map(|code| recovery::hash(user, code).to_vec()).collect();
    repo::put_recovery_codes_in_tx(write, user, &hashes).await?;
    Ok(codes)
}

/// The person is told, and is signed out everywhere else.
pub(crate) async fn changed_in_tx<E>(
    write: &mut Write,
    session: &Session,
    (user, news): (UserId, FactorNews),
) -> Result<(), Error<E>> {
    let field = match news {
        FactorNews::NewPasskey | FactorNews::PasskeyRemoved => "passkeys",
        _ => "secondFactor",
    };
    touch_in_tx(write, user, field).await?;
    let goes_on = session.caller().session;
    session::end_all_in_tx(write, user, goes_on, session::EndReason::FactorChanged).await?;
    write.enqueue(Letter::Factor { user, news }.job());
    Ok(())
}

/// A field of the person's has changed that is no column of its row.
pub(crate) async fn touch_in_tx<E>(
    write: &mut Write,
    user: UserId,
    field: &'static str,
) -> Result<(), Error<E>> {
    let row = user::touch_in_tx(write, user).await?.ok_or(Refusal::Unauthenticated)?;
    write.event_of_no_tenant(user::event(EventKind::Updated, &row, vec![field]));
    Ok(())
}

async fn own_address(session: &Session, user: UserId) -> Result<EmailAddress, Error<FactorError>> {
    let row = user::find(session, &[user]).await?.remove(&user).ok_or(Refusal::Unauthenticated)?;
    EmailAddress::try_new(&row.email).map_err(Error::internal)
}

/// A stored secret that is none.
#[derive(Debug, thiserror::Error)]
#[error("accounts.totp_factors.secret of the user {0} is not the base32 of 20 bytes")]
struct NoSecret(UserId);

fn open<E>(sealer: &Sealer, user: UserId, row: &TotpRow) -> Result<TotpSecret, Error<E>> {
    let secret = sealer.open(&row.secret, place(user)).map_err(Error::internal)?;
    TotpSecret::from_base32(&secret).ok_or_else(|| Error::internal(NoSecret(user)))
}

/// Where the secret of somebody's app is.
pub(crate) const fn place(user: UserId) -> Place {
    Place { owner: user.uuid(), column: "accounts.totp_factors.secret", row: user.uuid() }
}

fn fact(action: &'static str, user: UserId) -> AuditFact {
    AuditFact { action, subject: user::SUBJECT, key: Some(user.uuid()), version: None, items: 1 }
}
