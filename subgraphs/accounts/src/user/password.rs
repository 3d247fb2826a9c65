//! Passwords: which are accepted, and how they are kept and compared.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use pulse_types::Secret;
use tokio::sync::Semaphore;

use super::{EmailAddress, strength};
use crate::PasswordHashConfig;

/// A password that somebody wants to set.
#[derive(Debug, Clone)]
pub(crate) struct NewPassword(Secret);

/// A password that is not accepted. The texts never contain it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Too short or too long.
    #[error("a password has 12 to 128 characters, this one has {0}")]
    Length(usize),
    /// One of those that are tried first, or made of them.
    #[error("this password is easy to guess: choose another, such as a few words that nobody says together")]
    Guessable,
    /// It says whose it is.
    #[error("a password must not contain your name or your email address: choose another")]
    Own,
}

impl NewPassword {
    /// Checks length and guessability and nothing else, as NIST SP 800-63B asks: no rules of composition. `person` is whose
    /// it is to be: the address to sign in with, and the name.
    pub(crate) fn try_new(password: Secret, person: (&EmailAddress, &str)) -> Result<Self, InvalidPassword> {
        let length = password.expose().chars().count();
        if !(12..=128).contains(&length) {
            return Err(InvalidPassword::Length(length));
        }
        strength::check(password.expose(), person)?;
        Ok(Self(password))
    }
}

/// A fault while hashing; nothing that a person could put right.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PasswordHashError {
    /// The configured cost is outside of what argon2 allows.
    #[error("accounts.password_hash has a cost that argon2 does not allow: {0}")]
    Cost(argon2::Error),
    /// A stored hash does not parse, or a new one could not be made.
    #[error("a password hash is unusable: {0}")]
    Hash(argon2::password_hash::Error),
    /// The thread that hashes has died.
    #[error("hashing a password was interrupted")]
    Interrupted,
}

/// Makes and compares password hashes: away from the threads that serve requests, as many at once as there are cores.
#[derive(Clone)]
pub(crate) struct Passwords {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    nobodys: Arc<str>,
    #[cfg(test)]
    work: Arc<std::sync::atomic::AtomicUsize>,
}

impl Passwords {
    /// Hashes at the configured cost. Makes one hash at once: that of nobody's password.
    pub(crate) fn try_new(config: PasswordHashConfig) -> Result<Self, PasswordHashError> {
        let params = Params::new(config.memory, config.iterations, config.parallelism, None);
        let argon2 =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(PasswordHashError::Cost)?);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobodys = hash(&argon2, &format!("{:032x}", rand::random::<u128>()))?;
        Ok(Self {
            argon2,
            permits: Arc::new(Semaphore::new(cores)),
            nobodys: nobodys.into(),
            #[cfg(test)]
            work: Arc::default(),
        })
    }

    /// How many hashes were made and compared, so that tests count instead of measuring time.
    #[cfg(test)]
    pub(super) fn work(&self) -> usize {
        self.work.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// The hash to keep of `password`.
    pub(crate) async fn hash(&self, password: NewPassword) -> Result<String, PasswordHashError> {
        self.run(move |this| hash(&this.argon2, password.0.expose())).await
    }

    /// The hash to keep of a password that is a person's already, whatever is asked of new ones by now.
    pub(crate) async fn hash_again(&self, password: Secret) -> Result<String, PasswordHashError> {
        self.run(move |this| hash(&this.argon2, password.expose())).await
    }

    /// Whether the hash was made at another cost than hashes are made now. One that does not parse is not.
    pub(crate) fn is_outdated(&self, hash: &str) -> bool {
        let Ok(hash) = PasswordHash::new(hash) else { return false };
        let params = Params::try_from(&hash);
        let same = |stored: Params| {
            let now = self.argon2.params();
            (stored.m_cost(), stored.t_cost(), stored.p_cost()) == (now.m_cost(), now.t_cost(), now.p_cost())
        };
        hash.algorithm != Algorithm::Argon2id.ident() || !params.is_ok_and(same)
    }

    /// Whether `password` is the one that `hash` was made of. Without a hash, it is not, and finding that out takes as
    /// long: how long it takes says nothing about who has registered.
    pub(crate) async fn verify(
        &self,
        password: Secret,
        hash: Option<String>,
    ) -> Result<bool, PasswordHashError> {
        self.run(move |this| {
            let known = hash.is_some();
            let hash = PasswordHash::new(hash.as_deref().unwrap_or(&this.nobodys))
                .map_err(PasswordHashError::Hash)?;
            match this.argon2.verify_password(password.expose().as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(argon2::password_hash::Error::Password) => Ok(false),
                Err(error) => Err(PasswordHashError::Hash(error)),
            }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, PasswordHashError> + Send + 'static,
    ) -> Result<T, PasswordHashError> {
        let permits = Arc::clone(&self.permits);
        let permit = permits.acquire_owned().await.map_err(|_| PasswordHashError::Interrupted)?;
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            // Kept until the work is done, also when the request that asked for it is gone.
            let _permit = permit;
            #[cfg(test)]
            this.work.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            work(&this)
        });
        done.await.map_err(|_| PasswordHashError::Interrupted)?
    }
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, PasswordHashError> {
    let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>()).map_err(PasswordHashError::Hash)?;
    let hash = argon2.hash_password(password.as_bytes(), &salt).map_err(PasswordHashError::Hash)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(password: &str) -> Result<(), InvalidPassword> {
        let email = EmailAddress::try_new("someone.known@example.com").unwrap();
        NewPassword::try_new(Secret::new(password), (&email, "Ada")).map(drop)
    }

    #[test]
    fn length_is_counted_in_characters_and_nothing_is_composed() {
        assert_eq!(accepted("only lower case"), Ok(()));
        assert_eq!(accepted("пароль-пароль"), Ok(()));
        assert_eq!(accepted("Password1234"), Err(InvalidPassword::Guessable));
        assert_eq!(accepted("elevenchars"), Err(InvalidPassword::Length(11)));
        assert_eq!(accepted(&"x".repeat(129)), Err(InvalidPassword::Length(129)));
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_the_hash_of_nobody_none() {
        let passwords =
            Passwords::try_new(PasswordHashConfig { memory: 8, iterations: 1, parallelism: 1 }).unwrap();
        let email = EmailAddress::try_new("someone.known@example.com").unwrap();
        let secret = || Secret::new("a password of hers");
        let hash = passwords.hash(NewPassword::try_new(secret(), (&email, "Ada")).unwrap()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{hash}");
        assert!(passwords.verify(secret(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(Secret::new("another password"), Some(hash)).await.unwrap());
        assert!(!passwords.verify(secret(), None).await.unwrap());
    }

    #[test]
    fn a_cost_that_argon2_does_not_allow_is_refused() {
        let config = PasswordHashConfig { memory: 1, iterations: 1, parallelism: 1 };
        assert!(matches!(Passwords::try_new(config), Err(PasswordHashError::Cost(_))));
    }
}
