//! What pages of the origins that may call the API may send and read.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The section `[gateway.cors]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct CorsConfig {
    /// The methods that they may use.
    pub methods: Vec<String>,
    /// The headers that they may send; `*` for any.
    pub headers: Vec<String>,
    /// The headers of answers that they may read.
    pub exposed_headers: Vec<String>,
    /// Whether browsers send cookies along. Never for all origins.
    pub credentials: bool,
    /// How long browsers may remember all this; zero leaves it to them.
    #[serde(with = "humantime_serde")]
    pub max_age: Duration,
}

impl Default for CorsConfig {
    fn default() -> Self {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Self {
            // PUT, DELETE and the token are for event streams that carry many operations.
            methods: texts(&["GET", "POST", "PUT", "DELETE"]),
            headers: texts(&[
                "accept",
                "authorization",
                "content-type",
                "x-api-key",
                "x-request-id",
                "apollo-require-preflight",
                "graphql-require-preflight",
                "x-apollo-operation-name",
                "x-graphql-event-stream-token",
            ]),
            exposed_headers: texts(&[
                "x-request-id",
                "retry-after",
                "pulse-cost",
                "ratelimit",
                "ratelimit-policy",
            ]),
            credentials: false,
            max_age: Duration::ZERO,
        }
    }
}
