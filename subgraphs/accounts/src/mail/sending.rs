//! The job that sends a letter.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pulse_jobs::{Job, JobContext, JobError, JobHandler, Policy};
use pulse_sealing::{OpenError, Sealer};
use pulse_store::{Session, StoreError};
use pulse_types::{Caller, RequestId, UserId};

use super::letter::JOB;
use super::text::{self, Text};
use super::{Letter, Mailer, SealedAddress};
use crate::Config;
use crate::identity_provider;
use crate::invitation;
use crate::one_time_token::{self, Purpose};
use crate::user::{self, EmailAddress, UserRow};

/// Sends letters. Tokens are made here, so that a token exists nowhere but in the letter; a letter that is sent again has
/// a new one, and the one before is good no more.
pub(crate) struct SendLetters {
    mailer: Mailer,
    sealer: Sealer,
    config: Config,
}

impl SendLetters {
    pub(crate) const fn new(mailer: Mailer, sealer: Sealer, config: Config) -> Self {
        Self { mailer, sealer, config }
    }

    /// To whom, and what; `None` when there is nobody to write to any more.
    async fn compose(
        &self,
        letter: Letter,
        nobody: &Session,
    ) -> Result<Option<(EmailAddress, Text)>, JobError> {
        match letter {
            Letter::VerifyEmail { user } => {
                let Some(row) = own(nobody, user).await? else { return Ok(None) };
                if row.email_verified_at.is_some() {
                    return Ok(None);
                }
                self.to_user(nobody, &row, Purpose::VerifyEmail).await
            }
            Letter::ChangeEmail { user, address } => {
                let (Some(to), Some(row)) = (self.open(&address)?, own(nobody, user).await?) else {
                    return Ok(None);
                };
                self.with_link(nobody, row.id, (to, Purpose::ChangeEmail)).await.map(Some)
            }
            Letter::ResetPassword { address } => {
                self.to_owner(nobody, &address, Purpose::ResetPassword).await
            }
            Letter::SignIn { address } => self.to_owner(nobody, &address, Purpose::SignIn).await,
            Letter::PasswordChanged { user } => news(nobody, user, text::password_changed()).await,
            Letter::Factor { user, news: what } => news(nobody, user, text::factor(what)).await,
            Letter::Invitation { org, invitation, version } => {
                let tenant = identity_provider::tenant(nobody, org);
                let issued = invitation::issue(&tenant, (org, invitation), version).await?;
                Ok(issued.map(|issued| (issued.to.clone(), text::invitation(&self.config.links, &issued))))
            }
            Letter::EmailChanged { user: _, address } => {
                Ok(self.open(&address)?.map(|to| (to, text::email_changed())))
            }
        }
    }

    /// A link for whoever has this address, if anybody.
    async fn to_owner(
        &self,
        nobody: &Session,
        address: &SealedAddress,
        purpose: Purpose,
    ) -> Result<Option<(EmailAddress, Text)>, JobError> {
        let Some(to) = self.open(address)? else { return Ok(None) };
        let user = user::by_email(nobody, &to).await?;
        // Two connections at once are more than there may be for each of many letters.
        nobody.forget().await;
        match user {
            Some(user) => self.with_link(nobody, user, (to, purpose)).await.map(Some),
            None => Ok(None),
        }
    }

    async fn to_user(
        &self,
        nobody: &Session,
        row: &UserRow,
        purpose: Purpose,
    ) -> Result<Option<(EmailAddress, Text)>, JobError> {
        match EmailAddress::try_new(&row.email) {
            Ok(to) => self.with_link(nobody, row.id, (to, purpose)).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn with_link(
        &self,
        nobody: &Session,
        user: UserId,
        (to, purpose): (EmailAddress, Purpose),
    ) -> Result<(EmailAddress, Text), JobError> {
        let lifetime = purpose.lifetime(&self.config);
        let token = one_time_token::issue(&acting_as(nobody, user), user, (purpose, &to), lifetime).await?;
        let text = text::with_link(&self.config.links, purpose, &token, &in_words(lifetime));
        Ok((to, text))
    }

    fn open(&self, address: &SealedAddress) -> Result<Option<EmailAddress>, JobError> {
        address.open(&self.sealer).map_err(|error| {
            tracing::error!(%error, "the address of a letter cannot be read");
            match error {
                // Whoever sets the right key has it sent.
                OpenError::UnknownKey(_) => {
                    JobError::Retry("the address cannot be read with these keys".to_owned())
                }
                OpenError::Forged | OpenError::Malformed => {
                    JobError::Fatal("the address is unreadable".to_owned())
                }
            }
        })
    }
}

#[async_trait]
impl JobHandler for SendLetters {
    fn kind(&self) -> &'static str {
        JOB
    }

    fn policy(&self) -> Policy {
        Policy {
            backoff: Some(Duration::from_secs(5)),
            max_backoff: Some(Duration::from_mins(30)),
            time_limit: Some(Duration::from_mins(2)),
            ..Policy::default()
        }
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        let letter: Letter = serde_json::from_value(job.payload.clone())
            .map_err(|_| JobError::Fatal("this version does not know the letter".to_owned()))?;
        let request = RequestId::from_uuid(job.id.uuid());
        let nobody = context.store().session(Arc::new(Caller::anonymous(request)));
        let Some((to, text)) = self.compose(letter, &nobody).await? else { return Ok(()) };
        self.mailer.send(&job.id.to_string(), &to, text).await.map_err(|error| {
            tracing::warn!(job = %job.id, error = &error as &dyn std::error::Error, "a letter was not sent");
            let said = error.to_string();
            if error.is_passing() { JobError::Retry(said) } else { JobError::Fatal(said) }
        })
    }
}

fn acting_as(nobody: &Session, user: UserId) -> Session {
    nobody.store().session(Arc::new(user::caller(user, nobody.caller())))
}

/// To the address that the person has now.
async fn news(nobody: &Session, user: UserId, text: Text) -> Result<Option<(EmailAddress, Text)>, JobError> {
    let row = own(nobody, user).await?;
    let to = row.and_then(|row| EmailAddress::try_new(&row.email).ok());
    Ok(to.map(|to| (to, text)))
}

async fn own(nobody: &Session, user: UserId) -> Result<Option<UserRow>, StoreError> {
    Ok(user::find(&acting_as(nobody, user), &[user]).await?.remove(&user))
}

/// A time for people: in the largest unit of which it is a whole number.
fn in_words(time: Duration) -> String {
    let minutes = time.as_secs().div_ceil(60);
    let (count, unit) = match minutes {
        minutes if minutes > 0 && minutes.is_multiple_of(24 * 60) => (minutes / (24 * 60), "day"),
        minutes if minutes > 0 && minutes.is_multiple_of(60) => (minutes / 60, "hour"),
        minutes => (minutes, "minute"),
    };
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_whole_units() {
        let said =
            [1, 60, 900, 3_600, 5_400, 86_400, 172_800].map(|seconds| in_words(Duration::from_secs(seconds)));
        assert_eq!(said, ["1 minute", "1 minute", "15 minutes", "1 hour", "90 minutes", "1 day", "2 days"]);
    }
}
