//! Whether somebody knows a password.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use pulse_graphql::Error;
use pulse_store::{AuditFact, Session, StoreError, Write};
use pulse_types::{Caller, Secret, UserId};

use super::{EmailAddress, Passwords, ProofError, repo};
use crate::authority::Authority;
use crate::throttle::Attempt;

/// Somebody who knows the password of an address.
pub(crate) struct Proven {
    pub(crate) user: UserId,
    /// When the password was set, and the hash to put in place of the stored one, when that was made at another cost than
    /// hashes are made now.
    outdated: Option<(DateTime<Utc>, String)>,
}

/// Who has this address and password. Takes as long for an address that nobody has.
pub(crate) async fn check(
    session: &Session,
    passwords: &Passwords,
    email: Option<&EmailAddress>,
    password: Secret,
) -> Result<Option<Proven>, Error> {
    let credential = match email {
        // The session is gone with this statement, and holds no connection while the hash is made.
        Some(email) => repo::credential(&nobody(session), email).await?,
        None => None,
    };
    let hash = credential.as_ref().map(|credential| credential.password_hash.clone());
    let right = passwords.verify(password.clone(), hash).await.map_err(Error::internal)?;
    let Some(credential) = credential.filter(|_| right) else { return Ok(None) };
    let outdated = if passwords.is_outdated(&credential.password_hash) {
        let hash = passwords.hash_again(password).await.map_err(Error::internal)?;
        Some((credential.updated_at, hash))
    } else {
        None
    };
    Ok(Some(Proven { user: credential.user_id, outdated }))
}

fn nobody(session: &Session) -> Session {
    session.store().session(Arc::new(Caller::anonymous(session.caller().request)))
}

/// Has the caller show its own password again, before what a session alone should not do.
pub(crate) async fn show<E: From<ProofError>>(
    session: &Session,
    authority: &Authority,
    (user, email): (UserId, &EmailAddress),
    password: Secret,
) -> Result<(), Error<E>> {
    let attempt = Attempt::to_prove(&authority.sealer, user);
    let too_often = |error| Error::Client(E::from(ProofError::TooOften(error)));
    attempt.check(session).await?.map_err(too_often)?;
    let proven = check(session, &authority.passwords, Some(email), password).await;
    if proven.map_err(|error| error.map_client(|never| match never {}))?.is_some() {
        return attempt.check(session).await?.map_err(too_often);
    }
    let mut write = session.write().await?;
    attempt.failed_in_tx(&mut write).await?;
    let (action, key) = ("password:refuse", Some(user.uuid()));
    write.commit(AuditFact { action, subject: super::SUBJECT, key, version: None, items: 1 }).await?;
    Err(Error::Client(E::from(ProofError::Wrong)))
}

impl Proven {
    /// Writes down the hash at the cost of now, unless the password was changed meanwhile.
    pub(crate) async fn refresh_in_tx(&self, write: &mut Write) -> Result<(), StoreError> {
        match &self.outdated {
            Some((set_at, hash)) => repo::replace_hash_in_tx(write, self.user, *set_at, hash).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pulse_store::{PoolOptions, Store};
    use pulse_testkit::TestDatabase;
    use pulse_types::{Clock, RequestId};

    use super::*;
    use crate::PasswordHashConfig;
    use crate::user::{self, NewUser};

    #[tokio::test]
    async fn an_address_that_nobody_has_costs_a_hash_like_any_other() {
        let database = TestDatabase::new().await.unwrap();
        let store = Store::new(database.options(), &PoolOptions::default(), Clock::system());
        let request = RequestId::new(store.clock().now());
        let session = store.session(Arc::new(Caller::anonymous(request)));
        let cheap = PasswordHashConfig { memory: 8, iterations: 1, parallelism: 1 };
        let passwords = Passwords::try_new(cheap).unwrap();
        let right = || Secret::new("correct battery staple");
        let new = NewUser::try_new("ada@example.com", right(), "Ada").unwrap();
        let hash = passwords.hash(new.password.clone()).await.unwrap();
        user::create(&session, &new, &hash).await.unwrap();
        for (email, password, knows) in [
            (Some("ada@example.com"), right(), true),
            (Some("ada@example.com"), Secret::new("not the password"), false),
            (Some("nobody@example.com"), right(), false),
            (None, right(), false),
        ] {
            let before = passwords.work();
            let email = email.map(|email| EmailAddress::try_new(email).unwrap());
            let proven = check(&session, &passwords, email.as_ref(), password).await.unwrap();
            assert_eq!((proven.is_some(), passwords.work() - before), (knows, 1), "{email:?}");
        }
    }
}
