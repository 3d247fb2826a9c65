//! What is to be written to whom.

use std::time::Duration;

use pulse_sealing::{OpenError, Place, Sealer};
use pulse_store::NewJob;
use pulse_types::{InvitationId, OrgId, Secret, UserId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::user::EmailAddress;

/// The kind of job that sends a letter.
pub(crate) const JOB: &str = "accounts.mail";

/// A letter that is to be sent. It holds ids, and addresses sealed: whoever reads jobs reads no one's address. The tokens in
/// letters are made when they are sent, and never stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub(crate) enum Letter {
    /// To the address that the person registered with.
    VerifyEmail {
        /// The person.
        user: UserId,
    },
    /// To the address that the person wants to have.
    ChangeEmail {
        /// The person.
        user: UserId,
        /// The new address.
        address: SealedAddress,
    },
    /// To an address that somebody gave who cannot sign in. Whether anybody has it, is found out when it is sent, so that
    /// asking takes the same time for every address.
    ResetPassword {
        /// What was given.
        address: SealedAddress,
    },
    /// The same for somebody who wants to sign in without a password.
    SignIn {
        /// What was given.
        address: SealedAddress,
    },
    /// The person should know.
    PasswordChanged {
        /// The person.
        user: UserId,
    },
    /// The person should know.
    Factor {
        /// The person.
        user: UserId,
        /// What has happened.
        news: FactorNews,
    },
    /// To somebody who is to become a member, registered or not.
    Invitation {
        /// The organization.
        org: OrgId,
        /// What is offered, and to whom.
        invitation: InvitationId,
        /// In which version: of one that has changed since, another letter is sent.
        version: i64,
    },
    /// The person should know, at the address of before.
    EmailChanged {
        /// The person.
        user: UserId,
        /// The address of before.
        address: SealedAddress,
    },
}

/// What has happened to somebody's second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FactorNews {
    /// It is asked from now on.
    On,
    /// It is asked no more.
    Off,
    /// There are other recovery codes.
    NewRecoveryCodes,
    /// A passkey signs in from now on.
    NewPasskey,
    /// A passkey signs in no more.
    PasskeyRemoved,
    /// Somebody signed in with a recovery code.
    RecoveryCodeUsed,
    /// Somebody has shown the first factor, and often a wrong second one.
    Guessed,
}

/// An address in a job's payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SealedAddress {
    id: Uuid,
    sealed: String,
}

impl Letter {
    /// The job that sends it.
    pub(crate) fn job(&self) -> NewJob {
        NewJob {
            kind: JOB,
            payload: serde_json::to_value(self).expect("ids and text serialize"),
            // Somebody waits for it.
            priority: 10,
            max_attempts: 8,
            delay: Duration::ZERO,
            unique_key: None,
        }
    }
}

impl SealedAddress {
    pub(crate) fn new(sealer: &Sealer, address: &EmailAddress) -> Self {
        let id = Uuid::from_u128(rand::random());
        Self { id, sealed: sealer.seal(&Secret::new(address.as_str()), place(id)) }
    }

    /// The address; `None` if it is none, which it was when it was sealed.
    pub(crate) fn open(&self, sealer: &Sealer) -> Result<Option<EmailAddress>, OpenError> {
        let opened = sealer.open(&self.sealed, place(self.id))?;
        Ok(EmailAddress::try_new(opened.expose()).ok())
    }
}

const fn place(id: Uuid) -> Place {
    Place { owner: Uuid::nil(), column: "platform.jobs.payload", row: id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_shows_no_address() {
        let key = Secret::new("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=");
        let sealer = Sealer::try_new(&key, &[]).unwrap();
        let address = EmailAddress::try_new("ada@example.com").unwrap();
        let letter = Letter::SignIn { address: SealedAddress::new(&sealer, &address) };
        let payload = letter.job().payload;
        assert!(!payload.to_string().contains("ada"), "{payload}");
        let Letter::SignIn { address: sealed_address } = serde_json::from_value(payload).unwrap() else {
            panic!("another letter")
        };
        assert_eq!(sealed_address.open(&sealer).unwrap(), Some(address));
    }
}
