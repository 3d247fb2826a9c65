//! The second step of signing in, for whoever has a second factor. Every way in goes through [`enter`] or [`enter_vouched`], so that
//! none goes round it, but passkeys, which are more than one factor themselves.

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::Error;
use pulse_store::{AuditFact, Session, Write};
use pulse_types::{Caller, Secret};
use serde_json::{Map, Value};

use super::vouched::{self, VouchedBy};
use super::{SecondStepError, SignedIn, acting_as, challenges, fact, grant, internal, open_in_tx, own_row};
use crate::authority::Authority;
use crate::factor;
use crate::mail::{FactorNews, Letter};
use crate::organization::{self, Seen};
use crate::passkey;
use crate::throttle::{self, Attempt};
use crate::token::{RandomToken, TokenHash, TokenKind};
use crate::user::{self, UserRow};

/// How many wrong answers a challenge takes.
const MOST_FAILURES: i32 = 5;

/// What the first step of signing in leads to.
pub(crate) enum Entered {
    /// Into a session.
    SignedIn(Box<SignedIn>),
    /// To the second step.
    Challenged(Challenge),
}

/// What a second factor is to be shown for.
pub(crate) struct Challenge {
    pub(crate) token: Secret,
    pub(crate) expires_at: DateTime<Utc>,
    /// Whether the person has a passkey, which can be shown too.
    pub(crate) passkey: bool,
}

/// What is shown.
pub(crate) enum SecondFactor {
    /// A code of the app.
    Code(Secret),
    /// A recovery code.
    Recovery(Secret),
    /// A passkey's answer to a ceremony.
    Passkey {
        /// The ceremony.
        ceremony: Secret,
        /// What the browser has answered.
        answer: Map<String, Value>,
    },
}

impl SecondFactor {
    /// Exactly one of the three; a passkey is a ceremony and its answer.
    pub(crate) fn try_new(
        code: Option<String>,
        recovery: Option<String>,
        passkey: Option<(String, Map<String, Value>)>,
    ) -> Result<Self, SecondStepError> {
        match (code, recovery, passkey) {
            (Some(code), None, None) => Ok(Self::Code(Secret::new(code))),
            (None, Some(code), None) => Ok(Self::Recovery(Secret::new(code))),
            (None, None, Some((ceremony, answer))) => {
                Ok(Self::Passkey { ceremony: Secret::new(ceremony), answer })
            }
            _ => Err(SecondStepError::OneFactor),
        }
    }
}

/// Ends a write in which the person's first factor was shown: with a session or, if the person has a second factor, with a
/// challenge for it.
pub(super) async fn enter<E>(
    mut write: Write,
    authority: &Authority,
    (user, caller): (UserRow, &Caller),
    organization: Option<Seen>,
) -> Result<Entered, Error<E>> {
    if factor::is_on_in_tx(&mut write, user.id).await? {
        let challenge = challenge(write, authority, &user, (organization.as_ref(), None)).await?;
        return Ok(Entered::Challenged(challenge));
    }
    let signed_in = enter_at_once(write, authority, (user, caller), organization).await?;
    Ok(Entered::SignedIn(Box::new(signed_in)))
}

/// The same after an issuer has vouched for the person. `is_enough` says that it is believed to have asked for more than one factor.
pub(crate) async fn enter_vouched<E>(
    mut write: Write,
    authority: &Authority,
    person: (UserRow, &Caller),
    organization: Option<Seen>,
    (by, is_enough): (VouchedBy<'_>, bool),
) -> Result<Entered, Error<E>> {
    if !is_enough && factor::is_on_in_tx(&mut write, person.0.id).await? {
        let first = (organization.as_ref(), Some(&by));
        return Ok(Entered::Challenged(challenge(write, authority, &person.0, first).await?));
    }
    let signed_in = vouched::begin(write, authority, person, organization, by).await?;
    Ok(Entered::SignedIn(Box::new(signed_in)))
}

/// Ends the write with a challenge, which keeps where the session will act, and by whom it is begun.
async fn challenge<E>(
    mut write: Write,
    authority: &Authority,
    user: &UserRow,
    (organization, by): (Option<&Seen>, Option<&VouchedBy<'_>>),
) -> Result<Challenge, Error<E>> {
    let RandomToken { token, hash } = RandomToken::new(TokenKind::Challenge);
    let lifetime = TimeDelta::from_std(authority.config.challenge_lifetime);
    let expires_at = write.now() + lifetime.unwrap_or(TimeDelta::minutes(5));
    let organization = organization.map(|seen| seen.organization.id);
    challenges::insert_in_tx(&mut write, (user.id, hash), (organization, by), expires_at).await?;
    let passkey = passkey::has_any_in_tx(&mut write, user.id).await?;
    write.commit(of_user("session:challenge", user)).await?;
    Ok(Challenge { token, expires_at, passkey })
}

/// Ends a write in which nothing is left to be shown, with a session.
pub(crate) async fn enter_at_once<E>(
    mut write: Write,
    authority: &Authority,
    (user, caller): (UserRow, &Caller),
    organization: Option<Seen>,
) -> Result<SignedIn, Error<E>> {
    let in_organization = organization.as_ref().map(|seen| seen.organization.id);
    let opened = open_in_tx(&mut write, authority, (user.id, caller), in_organization).await;
    let (id, token) = opened.map_err(internal)?;
    let now = write.now();
    write.commit(fact("session:create", id)).await?;
    grant(authority, (user, id), organization, (Some(token), now)).await
}

/// Takes the second factor for a challenge, and begins the session.
pub(crate) async fn complete(
    session: &Session,
    authority: &Authority,
    challenge: &Secret,
    shown: SecondFactor,
) -> Result<SignedIn, Error<SecondStepError>> {
    let hash = TokenHash::of(challenge);
    let nobody = throttle::nobody(session);
    let user = challenges::user(&nobody, hash).await?.ok_or(SecondStepError::NoChallenge)?;
    nobody.forget().await;
    let key = (user, hash);
    let person = acting_as(session, user);
    let attempt = Attempt::to_show_factor(&person, &authority.sealer, user).await?;
    let own = organization::own(&person).await?;
    let row = own_row(&person, user).await?;
    let mut write = person.write().await?;
    let factor = factor::lock_in_tx(&mut write, user).await?.ok_or(SecondStepError::NoChallenge)?;
    let found = challenges::lock_in_tx(&mut write, key).await?.ok_or(SecondStepError::NoChallenge)?;
    let is_right = match &shown {
        SecondFactor::Code(code) => {
            attempt.check_in_tx(&mut write).await?.map_err(SecondStepError::from)?;
            factor.take_code_in_tx(&mut write, &authority.sealer, code).await?
        }
        // Nobody guesses one, so nobody has to wait: who is slowed down by others gets in with one.
        SecondFactor::Recovery(code) => factor.take_recovery_code_in_tx(&mut write, code).await?,
        SecondFactor::Passkey { ceremony, answer } => {
            passkey::take_in_tx(&mut write, authority, user, (ceremony, answer)).await?
        }
    };
    if !is_right {
        attempt.failed_in_tx(&mut write).await?;
        if challenges::failed_in_tx(&mut write, key).await? >= MOST_FAILURES {
            challenges::remove_in_tx(&mut write, key).await?;
            write.enqueue(Letter::Factor { user, news: FactorNews::Guessed }.job());
        }
        write.commit(of_user("factor:refuse", &row)).await?;
        return Err(SecondStepError::Wrong.into());
    }
    attempt.succeeded_in_tx(&mut write).await?;
    challenges::remove_in_tx(&mut write, key).await?;
    if matches!(shown, SecondFactor::Recovery(_)) {
        write.audit(of_user("recovery_code:use", &row));
        write.enqueue(Letter::Factor { user, news: FactorNews::RecoveryCodeUsed }.job());
    }
    // The person may have left the organization since the first step: then the session begins without one.
    let chosen = own.into_iter().find(|own| Some(own.organization.id) == found.organization).map(Seen::from);
    match found.vouched_by() {
        None => enter_at_once(write, authority, (row, person.caller()), chosen).await,
        // It stays in that organization, and nowhere else.
        Some(by) if by.confined_to.is_some() && chosen.is_none() => Err(SecondStepError::NoChallenge.into()),
        Some(by) => vouched::begin(write, authority, (row, person.caller()), chosen, by).await,
    }
}

fn of_user(action: &'static str, user: &UserRow) -> AuditFact {
    let key = Some(user.id.uuid());
    AuditFact { action, subject: user::SUBJECT, key, version: None, items: 1 }
}
