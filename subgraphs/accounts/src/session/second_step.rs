//! The second step of signing in, for whoever has a second factor. Every way in goes through [`enter`], so that none goes
//! round it, but those that are more than one factor themselves (passkeys) and those by issuers, who ask for theirs.

use chrono::{DateTime, TimeDelta, Utc};
use pulse_graphql::Error;
use pulse_store::{AuditFact, Session, Write};
use pulse_types::{Caller, Secret};

use super::{SecondStepError, SignedIn, acting_as, challenges, fact, grant, internal, open_in_tx, own_row};
use crate::authority::Authority;
use crate::factor;
use crate::mail::{FactorNews, Letter};
use crate::organization::{self, Seen};
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
}

/// What is shown.
pub(crate) enum SecondFactor {
    /// A code of the app.
    Code(Secret),
    /// A recovery code.
    Recovery(Secret),
}

impl SecondFactor {
    /// Exactly one of the two.
    pub(crate) fn try_new(code: Option<String>, recovery: Option<String>) -> Result<Self, SecondStepError> {
        match (code, recovery) {
            (Some(code), None) => Ok(Self::Code(Secret::new(code))),
            (None, Some(code)) => Ok(Self::Recovery(Secret::new(code))),
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
    let in_organization = organization.as_ref().map(|seen| seen.organization.id);
    if factor::is_on_in_tx(&mut write, user.id).await? {
        let RandomToken { token, hash } = RandomToken::new(TokenKind::Challenge);
        let lifetime = TimeDelta::from_std(authority.config.challenge_lifetime);
        let expires_at = write.now() + lifetime.unwrap_or(TimeDelta::minutes(5));
        challenges::insert_in_tx(&mut write, (user.id, hash), in_organization, expires_at).await?;
        write.commit(of_user("session:challenge", &user)).await?;
        return Ok(Entered::Challenged(Challenge { token, expires_at }));
    }
    let signed_in = enter_at_once(write, authority, (user, caller), organization).await?;
    Ok(Entered::SignedIn(Box::new(signed_in)))
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
    enter_at_once(write, authority, (row, person.caller()), chosen).await
}

fn of_user(action: &'static str, user: &UserRow) -> AuditFact {
    let key = Some(user.id.uuid());
    AuditFact { action, subject: user::SUBJECT, key, version: None, items: 1 }
}
