//! Where the supergraph comes from, and how its versions take turns.

use std::time::Duration;

use bytesize::ByteSize;
use pulse_types::Secret;
use serde::{Deserialize, Serialize};

/// The section `[gateway.supergraph]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SupergraphConfig {
    /// How often a file is looked at for changes.
    #[serde(with = "humantime_serde")]
    pub file_interval: Duration,
    /// How often a URL is asked for a new version.
    #[serde(with = "humantime_serde")]
    pub poll_interval: Duration,
    /// How long a URL that can do so is to wait for a new version before it says that there is none.
    #[serde(with = "humantime_serde")]
    pub long_poll: Duration,
    /// How long one answer of a URL may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How large the answer of a URL may be.
    pub size_limit: ByteSize,
    /// What is sent to a URL as `Authorization`.
    #[serde(serialize_with = "super::secret::fingerprint")]
    pub authorization: Secret,
    /// The public keys of which one must have signed what a URL answers; none for any answer.
    pub signature_keys: Vec<String>,
    /// What it must be signed for, as `environment/variant`.
    pub signature_of: String,
    /// The header by which a request chooses another variant; empty for none.
    pub variant_header: String,
    /// Where variants are, with `{variant}` for the name.
    pub variant_url: String,
    /// How long the gateway tries at its start to get the supergraph from a URL.
    #[serde(with = "humantime_serde")]
    pub start_timeout: Duration,
    /// How long it waits at most between two failed tries.
    #[serde(with = "humantime_serde")]
    pub max_backoff: Duration,
    /// A file that keeps the last supergraph that was served from a URL.
    pub cache_file: String,
    /// How many of the most used operations are planned before a new supergraph is served.
    pub warm_up_operations: usize,
    /// How long a new supergraph waits for that.
    #[serde(with = "humantime_serde")]
    pub warm_up_timeout: Duration,
}

impl Default for SupergraphConfig {
    fn default() -> Self {
        Self {
            file_interval: Duration::from_secs(1),
            poll_interval: Duration::from_secs(10),
            long_poll: Duration::from_secs(30),
            timeout: Duration::from_secs(10),
            size_limit: ByteSize::mb(32),
            authorization: Secret::new(""),
            signature_keys: Vec::new(),
            signature_of: "production/current".to_owned(),
            variant_header: String::new(),
            variant_url: String::new(),
            start_timeout: Duration::from_secs(30),
            max_backoff: Duration::from_mins(1),
            cache_file: String::new(),
            warm_up_operations: 1000,
            warm_up_timeout: Duration::from_secs(10),
        }
    }
}
