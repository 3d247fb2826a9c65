//! Tokens that are sent by mail and good once: who sends one back gets the mail of its address.

mod error;
mod repo;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use pulse_graphql::Error;
use pulse_store::{AuditFact, Session, StoreError, Write};
use pulse_types::{Caller, Secret, UserId};

pub(crate) use error::InvalidToken;

use crate::Config;
use crate::token::{RandomToken, TokenHash, TokenKind};
use crate::user::{self, EmailAddress};

/// What a token is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To show that the address that somebody registered with is theirs.
    VerifyEmail,
    /// The same of an address that they want to have.
    ChangeEmail,
    /// To set another password.
    ResetPassword,
    /// To sign in.
    SignIn,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::ResetPassword => "reset_password",
            Self::SignIn => "sign_in",
        }
    }

    /// How long it is good.
    pub(crate) const fn lifetime(self, config: &Config) -> Duration {
        match self {
            Self::VerifyEmail | Self::ChangeEmail => config.verification_lifetime,
            Self::ResetPassword => config.password_reset_lifetime,
            Self::SignIn => config.magic_link_lifetime,
        }
    }
}

/// Makes a token for what is sent to `address`, in a session that acts as the person. The one of the same purpose before it
/// is good no more.
pub(crate) async fn issue(
    person: &Session,
    user: UserId,
    (purpose, address): (Purpose, &EmailAddress),
    lifetime: Duration,
) -> Result<Secret, StoreError> {
    let RandomToken { token, hash } = RandomToken::new(TokenKind::OneTime);
    let lifetime = TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::days(1));
    let mut write = person.write().await?;
    repo::put_in_tx(&mut write, (user, purpose), (hash, address), lifetime).await?;
    let (subject, key) = (user::SUBJECT, Some(user.uuid()));
    write
        .commit(AuditFact { action: "one_time_token:create", subject, key, version: None, items: 1 })
        .await?;
    Ok(token)
}

/// A token that is good, and not yet used.
pub(crate) struct Found {
    /// Acts as the token's person.
    pub(crate) person: Session,
    pub(crate) user: UserId,
    /// What it proves: that the person gets the mail of this address.
    pub(crate) address: EmailAddress,
    purpose: Purpose,
    hash: TokenHash,
}

/// Finds a token by itself.
pub(crate) async fn find<E: From<InvalidToken>>(
    session: &Session,
    purpose: Purpose,
    token: &Secret,
) -> Result<Found, Error<E>> {
    let invalid = || Error::Client(E::from(InvalidToken));
    let hash = TokenHash::of(token);
    let asked = session.caller();
    let nobody = session.store().session(Arc::new(Caller::anonymous(asked.request)));
    let user = repo::user(&nobody, hash).await?.ok_or_else(invalid)?;
    nobody.forget().await;
    let person = session.store().session(Arc::new(user::caller(user, asked)));
    let address = repo::address(&person, (user, purpose), hash).await?.ok_or_else(invalid)?;
    // What follows may take long, as a new password does.
    person.forget().await;
    let address = EmailAddress::try_new(&address).map_err(Error::internal)?;
    Ok(Found { person, user, address, purpose, hash })
}

impl Found {
    /// Uses the token: a write that acts as its person, and once committed leaves nothing of it. Of two who use it at once,
    /// one finds it used.
    pub(crate) async fn take<E: From<InvalidToken>>(&self) -> Result<Write, Error<E>> {
        let mut write = self.person.write().await?;
        if repo::take_in_tx(&mut write, (self.user, self.purpose), self.hash).await? {
            Ok(write)
        } else {
            Err(Error::Client(E::from(InvalidToken)))
        }
    }
}

/// Makes every token of a person worthless that was sent by now: what they prove may no longer be so.
pub(crate) async fn forget_in_tx(write: &mut Write, user: UserId) -> Result<(), StoreError> {
    repo::forget_in_tx(write, user).await
}
