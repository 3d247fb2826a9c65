//! Passwords: which are accepted, and how they are kept and compared.

use std::sync::Arc;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use pulse_types::Secret;
use tokio::sync::Semaphore;

use super::EmailAddress;
use crate::PasswordHashConfig;

/// The most common passwords that are long enough (from published lists of leaked ones), in lower case.
const COMMON: &[&str] = &[
    "000000000000",
    "111111111111",
    "1111111111111111",
    "112233445566",
    "121212121212",
    "123123123123",
    "123412341234",
    "1234567890-=",
    "123456123456",
    "123456654321",
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789012345",
    "1234567890123456",
    "12345678901234567890",
    "1234567891011",
    "1234567890qwerty",
    "12345qwert12345",
    "123456789abc",
    "1234qwer1234",
    "1q2w3e4r5t6y",
    "1q2w3e4r5t6y7u8i",
    "1qaz2wsx3edc",
    "1qaz2wsx3edc4rfv",
    "666666666666",
    "777777777777",
    "888888888888",
    "999999999999",
    "987654321012",
    "aaaaaaaaaaaa",
    "abc123abc123",
    "abcd12345678",
    "abcdefghijkl",
    "abcdefghijklm",
    "administrator",
    "asdfasdfasdf",
    "asdfghjkl123",
    "changemechangeme",
    "correcthorsebatterystaple",
    "iloveyou1234",
    "iloveyouiloveyou",
    "letmeinletmein",
    "password1234",
    "password12345",
    "password123456",
    "password123!",
    "password@123",
    "passwordpassword",
    "p@ssw0rd1234",
    "qazwsxedcrfv",
    "qwerty123456",
    "qwerty12345678",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "qwertyuiopasdfghjkl",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiop[]",
    "welcome12345",
    "welcome123456",
    "zxcvbnm12345",
    "zxcvbnmasdfghjkl",
];

/// A password that somebody wants to set.
#[derive(Debug, Clone)]
pub(crate) struct NewPassword(Secret);

/// A password that is not accepted. The texts never contain it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Too short or too long.
    #[error("a password has 12 to 128 characters, this one has {0}")]
    Length(usize),
    /// One of those that are tried first.
    #[error("this password is among the most common ones: choose another")]
    Common,
    /// The person's own address.
    #[error("your email address is no password: choose another")]
    Address,
}

impl NewPassword {
    /// Checks length and guessability and nothing else, as NIST SP 800-63B asks: no rules of composition.
    pub(crate) fn try_new(password: Secret, email: &EmailAddress) -> Result<Self, InvalidPassword> {
        let length = password.expose().chars().count();
        if !(12..=128).contains(&length) {
            return Err(InvalidPassword::Length(length));
        }
        let lower = password.expose().to_lowercase();
        if COMMON.contains(&lower.as_str()) {
            return Err(InvalidPassword::Common);
        }
        if lower == email.as_str() {
            return Err(InvalidPassword::Address);
        }
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
}

impl Passwords {
    /// Hashes at the configured cost. Makes one hash at once: that of nobody's password.
    pub(crate) fn try_new(config: PasswordHashConfig) -> Result<Self, PasswordHashError> {
        let params = Params::new(config.memory, config.iterations, config.parallelism, None);
        let argon2 =
            Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(PasswordHashError::Cost)?);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let nobodys = hash(&argon2, &format!("{:032x}", rand::random::<u128>()))?;
        Ok(Self { argon2, permits: Arc::new(Semaphore::new(cores)), nobodys: nobodys.into() })
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
        NewPassword::try_new(Secret::new(password), &email).map(drop)
    }

    #[test]
    fn length_is_counted_in_characters_and_nothing_is_composed() {
        assert_eq!(accepted("only lower case"), Ok(()));
        assert_eq!(accepted("пароль-пароль"), Ok(()));
        assert_eq!(accepted("elevenchars"), Err(InvalidPassword::Length(11)));
        assert_eq!(accepted(&"x".repeat(129)), Err(InvalidPassword::Length(129)));
    }

    #[test]
    fn what_is_tried_first_is_refused() {
        assert_eq!(accepted("Password1234"), Err(InvalidPassword::Common));
        assert_eq!(accepted("Someone.Known@example.com"), Err(InvalidPassword::Address));
        let lower_and_long =
            |password: &&str| (12..=128).contains(&password.len()) && *password == password.to_lowercase();
        assert_eq!(COMMON.iter().copied().find(|password| !lower_and_long(password)), None);
    }

    #[tokio::test]
    async fn a_hash_knows_its_password_and_the_hash_of_nobody_none() {
        let passwords =
            Passwords::try_new(PasswordHashConfig { memory: 8, iterations: 1, parallelism: 1 }).unwrap();
        let email = EmailAddress::try_new("someone.known@example.com").unwrap();
        let secret = || Secret::new("a password of hers");
        let hash = passwords.hash(NewPassword::try_new(secret(), &email).unwrap()).await.unwrap();
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
