//! The section `[operations]`. `config.default.toml` says the same with the same defaults, for people.

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use serde::Deserialize;

/// The section `[operations]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Webhooks.
    pub webhooks: WebhookConfig,
}

/// The section `[operations.webhooks]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookConfig {
    /// So many an organization may have.
    pub max_per_organization: u32,
    /// Whether `http://` may be used beside `https://`.
    pub allow_http: bool,
    /// The ports that an address may name.
    pub allowed_ports: Vec<u16>,
    /// Private networks that may be reached nevertheless.
    pub allowed_networks: Vec<IpNet>,
    /// Certificates of authorities that are trusted beside the public ones; empty for none.
    pub ca_file: PathBuf,
    /// How long an attempt may take in all.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How much of an answer is read.
    pub max_answer: ByteSize,
    /// How many webhooks are served at once by a process.
    pub concurrency: usize,
    /// How many of one organization.
    pub concurrency_per_organization: usize,
    /// How many on one host.
    pub concurrency_per_host: usize,
    /// How many requests are under way at once to one webhook.
    pub concurrency_per_webhook: usize,
    /// How long after each failed attempt the next one is made.
    pub retry_after: Vec<Pause>,
    /// A webhook that has only failed for this long is paused.
    #[serde(with = "humantime_serde")]
    pub pause_after: Duration,
    /// So is one of which so many deliveries in a row were given up.
    pub pause_after_failures: u32,
    /// How long the old secret is good beside the new one.
    #[serde(with = "humantime_serde")]
    pub secret_overlap: Duration,
    /// How long deliveries are kept.
    #[serde(with = "humantime_serde")]
    pub keep_deliveries: Duration,
}

/// A stretch of time in a list, such as `5m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Pause(#[serde(with = "humantime_serde")] pub Duration);

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

impl Default for WebhookConfig {
    fn default() -> Self {
        let pauses = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 8 * HOUR];
        Self {
            max_per_organization: 50,
            allow_http: false,
            allowed_ports: vec![443, 8443],
            allowed_networks: Vec::new(),
            ca_file: PathBuf::new(),
            timeout: Duration::from_secs(15),
            max_answer: ByteSize::kib(4),
            concurrency: 64,
            concurrency_per_organization: 16,
            concurrency_per_host: 4,
            concurrency_per_webhook: 4,
            retry_after: pauses.map(|seconds| Pause(Duration::from_secs(seconds))).to_vec(),
            pause_after: Duration::from_hours(5 * 24),
            pause_after_failures: 100,
            secret_overlap: Duration::from_hours(24),
            keep_deliveries: Duration::from_hours(30 * 24),
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
            operations: Config,
        }
        let none = std::iter::empty();
        let sections: Sections = pulse_config::load(crate::DEFAULT_CONFIG, None, none).unwrap();
        assert_eq!(sections.operations, Config::default());
    }
}
