//! The section `[accounts]`. `config.default.toml` says the same with the same defaults, for people.

use std::path::PathBuf;
use std::time::Duration;

use pulse_types::Secret;
use serde::Deserialize;

use crate::oidc::OidcConfig;

/// The section `[accounts]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How long a refresh token can be exchanged for the next one.
    #[serde(with = "humantime_serde")]
    pub refresh_token_lifetime: Duration,
    /// A refresh token that comes again within this time of its exchange is a race, after it theft.
    #[serde(with = "humantime_serde")]
    pub refresh_race_window: Duration,
    /// How long what is sent by mail is good: to confirm an address.
    #[serde(with = "humantime_serde")]
    pub verification_lifetime: Duration,
    /// The same to set a new password.
    #[serde(with = "humantime_serde")]
    pub password_reset_lifetime: Duration,
    /// The same to sign in.
    #[serde(with = "humantime_serde")]
    pub magic_link_lifetime: Duration,
    /// How long an invitation waits for an answer: an hour to 90 days.
    #[serde(with = "humantime_serde")]
    pub invitation_lifetime: Duration,
    /// How long an erasure can be taken back.
    #[serde(with = "humantime_serde")]
    pub erasure_grace: Duration,
    /// The same to show a second factor, after the first.
    #[serde(with = "humantime_serde")]
    pub challenge_lifetime: Duration,
    /// What apps that make codes call this service.
    pub totp_issuer: String,
    /// The cost of a password hash.
    pub password_hash: PasswordHashConfig,
    /// The keys that access tokens are signed with.
    pub signing_keys: SigningKeysConfig,
    /// The site that passkeys are for.
    pub passkeys: PasskeysConfig,
    /// How letters are sent.
    pub mail: MailConfig,
    /// Where links in letters lead.
    pub links: LinksConfig,
    /// Signing in by other issuers.
    pub oidc: OidcConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            refresh_token_lifetime: Duration::from_hours(30 * 24),
            refresh_race_window: Duration::from_secs(10),
            verification_lifetime: Duration::from_hours(24),
            password_reset_lifetime: Duration::from_hours(1),
            magic_link_lifetime: Duration::from_mins(15),
            invitation_lifetime: Duration::from_hours(7 * 24),
            erasure_grace: Duration::from_hours(14 * 24),
            challenge_lifetime: Duration::from_mins(5),
            totp_issuer: "Pulse".to_owned(),
            password_hash: PasswordHashConfig::default(),
            signing_keys: SigningKeysConfig::default(),
            passkeys: PasskeysConfig::default(),
            mail: MailConfig::default(),
            links: LinksConfig::default(),
            oidc: OidcConfig::default(),
        }
    }
}

impl Config {
    /// Whether an invitation waits as long as one may.
    pub(crate) fn has_sound_invitations(&self) -> bool {
        (Duration::from_hours(1)..=Duration::from_hours(90 * 24)).contains(&self.invitation_lifetime)
    }
}

/// The section `[accounts.password_hash]`: the cost of argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordHashConfig {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over that memory.
    pub iterations: u32,
    /// Lanes.
    pub parallelism: u32,
}

impl Default for PasswordHashConfig {
    fn default() -> Self {
        Self { memory: 19_456, iterations: 2, parallelism: 1 }
    }
}

/// The section `[accounts.signing_keys]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SigningKeysConfig {
    /// How long a key signs before another one takes its place.
    #[serde(with = "humantime_serde")]
    pub rotate_every: Duration,
    /// For how long a key is published before it signs.
    #[serde(with = "humantime_serde")]
    pub publish_ahead: Duration,
    /// How often a process looks whether there is another key.
    #[serde(with = "humantime_serde")]
    pub reread_every: Duration,
}

impl SigningKeysConfig {
    /// What is wrong with the times is the error.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let Self { rotate_every, publish_ahead, reread_every } = *self;
        if rotate_every < Duration::from_hours(1) {
            return Err("rotate_every is shorter than an hour");
        }
        if publish_ahead >= rotate_every {
            return Err("publish_ahead is not shorter than rotate_every");
        }
        if reread_every < Duration::from_secs(1) {
            return Err("reread_every is shorter than a second");
        }
        Ok(())
    }
}

impl Default for SigningKeysConfig {
    fn default() -> Self {
        Self {
            rotate_every: Duration::from_hours(90 * 24),
            publish_ahead: Duration::from_hours(1),
            reread_every: Duration::from_secs(30),
        }
    }
}

/// The section `[accounts.passkeys]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasskeysConfig {
    /// The domain that passkeys are for. Those of before are worth nothing when it changes.
    pub rp_id: String,
    /// The pages that may ask for them.
    pub origins: Vec<String>,
}

impl Default for PasskeysConfig {
    fn default() -> Self {
        Self { rp_id: "localhost".to_owned(), origins: vec!["http://localhost:3000".to_owned()] }
    }
}

/// The section `[accounts.mail]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// The SMTP server; empty for none.
    pub smtp_url: Secret,
    /// Where letters are put as files when there is no server.
    pub folder: PathBuf,
    /// Whom letters are from.
    pub from: String,
    /// How long the server may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            smtp_url: Secret::new(""),
            folder: PathBuf::new(),
            from: "Pulse <pulse@localhost>".to_owned(),
            timeout: Duration::from_secs(30),
        }
    }
}

/// The section `[accounts.links]`: pages of the frontend. `{token}` stands for the token, which the page sends on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LinksConfig {
    /// The page that calls `verifyEmail`.
    pub verify_email: String,
    /// The page that calls `confirmEmailChange`.
    pub change_email: String,
    /// The page that calls `resetPassword`.
    pub reset_password: String,
    /// The page that calls `signInWithLink`.
    pub sign_in: String,
    /// The page that shows `invitation`, and calls `acceptInvitation`, or `register`, or `declineInvitation`.
    pub accept_invitation: String,
}

impl LinksConfig {
    /// The name of a link in which there is no place for the token is the error.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let Self { verify_email, change_email, reset_password, sign_in, accept_invitation } = self;
        let links = [
            ("verify_email", verify_email),
            ("change_email", change_email),
            ("reset_password", reset_password),
            ("sign_in", sign_in),
            ("accept_invitation", accept_invitation),
        ];
        links.into_iter().find(|(_, link)| !link.contains("{token}")).map_or(Ok(()), |(name, _)| Err(name))
    }
}

impl Default for LinksConfig {
    fn default() -> Self {
        let page = |name: &str| format!("http://localhost:3000/{name}#token={{token}}");
        Self {
            verify_email: page("verify-email"),
            change_email: page("change-email"),
            reset_password: page("reset-password"),
            sign_in: page("sign-in"),
            accept_invitation: page("invitation"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_for_people_says_the_same_defaults() {
        #[derive(Deserialize)]
        struct Sections {
            accounts: Config,
        }
        let none = std::iter::empty();
        let sections: Sections = pulse_config::load(crate::DEFAULT_CONFIG, None, none).unwrap();
        assert_eq!(sections.accounts, Config::default());
    }
}
