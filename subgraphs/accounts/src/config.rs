//! The section `[accounts]`. `config.default.toml` says the same with the same defaults, for people.

use std::time::Duration;

use serde::Deserialize;

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
    /// The cost of a password hash.
    pub password_hash: PasswordHashConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            refresh_token_lifetime: Duration::from_hours(30 * 24),
            refresh_race_window: Duration::from_secs(10),
            password_hash: PasswordHashConfig::default(),
        }
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
