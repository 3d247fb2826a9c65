//! What requests must look like before anybody reads them, and what browsers are told with every answer.

use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

/// The section `[gateway.protection]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProtectionConfig {
    /// How many headers a request may have.
    pub max_headers: usize,
    /// How large a request's headers may be together.
    pub max_header_size: ByteSize,
    /// Whether a GET that browsers send without asking first must prove that no foreign page sends it.
    pub csrf_for_get: bool,
    /// The headers of which any one is that proof, since a foreign page cannot send it.
    pub csrf_headers: Vec<String>,
    /// For how long browsers are to call by TLS alone; zero for nothing of the kind.
    #[serde(with = "humantime_serde")]
    pub hsts: Duration,
}

impl Default for ProtectionConfig {
    fn default() -> Self {
        let headers = ["apollo-require-preflight", "x-apollo-operation-name", "graphql-require-preflight"];
        Self {
            max_headers: 100,
            max_header_size: ByteSize::kb(32),
            csrf_for_get: false,
            csrf_headers: headers.map(str::to_owned).to_vec(),
            hsts: Duration::ZERO,
        }
    }
}
