//! The section `[gateway]`. `config.default.toml` says the same with the same defaults, for people.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;

use crate::engine::EngineConfig;

/// The section `[gateway]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GatewayConfig {
    /// How long a request may take.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How large a request's body may be.
    pub body_limit: ByteSize,
    /// How long a client may take to send a request's head, and how long an idle connection is kept.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// How many connections are open at once; further ones wait.
    pub connection_limit: usize,
    /// How long requests under way may still take once the gateway is told to stop.
    #[serde(with = "humantime_serde")]
    pub drain_timeout: Duration,
    /// How long a readiness check may take before it counts as failed.
    #[serde(with = "humantime_serde")]
    pub health_timeout: Duration,
    /// Whether browsers find the query page.
    pub query_page: bool,
    /// Whether answers are compressed for clients that accept gzip.
    pub compression: bool,
    /// Whether a request may ask for its query plan.
    pub expose_plan: bool,
    /// Origins whose pages may call the API from a browser; `*` for all.
    pub cors_origins: Vec<String>,
    /// How many verified credentials are remembered.
    pub remembered_credentials: u64,
    /// What one operation may ask for.
    pub limits: LimitsConfig,
    /// Subgraphs that are reached over HTTP.
    pub remote: RemoteConfig,
    /// Addresses of subgraphs by name, over those that the supergraph names.
    pub subgraph_urls: BTreeMap<String, String>,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            body_limit: ByteSize::mb(1),
            header_timeout: Duration::from_secs(15),
            connection_limit: 10_000,
            drain_timeout: Duration::from_secs(10),
            health_timeout: Duration::from_secs(2),
            query_page: true,
            compression: true,
            expose_plan: false,
            cors_origins: Vec::new(),
            remembered_credentials: 100_000,
            limits: LimitsConfig::default(),
            remote: RemoteConfig::default(),
            subgraph_urls: BTreeMap::new(),
        }
    }
}

/// The section `[gateway.limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// How many planned operations are kept.
    pub plan_cache_size: u64,
    /// How long planning one operation may take.
    #[serde(with = "humantime_serde")]
    pub planning_timeout: Duration,
    /// How deeply fields may be nested, fragments followed.
    pub max_depth: usize,
    /// How many aliases an operation may use, fragments followed.
    pub max_aliases: usize,
    /// How many root fields an operation may select, fragments followed.
    pub max_root_fields: usize,
    /// How many directives an operation may use, fragments followed.
    pub max_directives: usize,
    /// How many tokens a document may have.
    pub max_tokens: usize,
    /// How many fields an operation may select, fragments followed.
    pub max_fields: usize,
    /// Whether errors tell clients which subgraph they are from.
    pub name_subgraphs_in_errors: bool,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let EngineConfig {
            plan_cache_size,
            planning_timeout,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            name_subgraphs_in_errors,
        } = EngineConfig::default();
        Self {
            plan_cache_size,
            planning_timeout,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            name_subgraphs_in_errors,
        }
    }
}

impl From<&LimitsConfig> for EngineConfig {
    fn from(limits: &LimitsConfig) -> Self {
        let LimitsConfig {
            plan_cache_size,
            planning_timeout,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            name_subgraphs_in_errors,
        } = *limits;
        Self {
            plan_cache_size,
            planning_timeout,
            max_depth,
            max_aliases,
            max_root_fields,
            max_directives,
            max_tokens,
            max_fields,
            name_subgraphs_in_errors,
        }
    }
}

/// The section `[gateway.remote]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteConfig {
    /// How long one call may take.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// How long opening a connection may take.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// How large a subgraph's answer may be.
    pub response_limit: ByteSize,
    /// How long an idle connection is kept for the next call.
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    /// How many idle connections are kept for each subgraph.
    pub idle_connections: usize,
    /// Whether calls use HTTP/2 with prior knowledge instead of HTTP/1.1.
    pub http2: bool,
}

impl Default for RemoteConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(2),
            response_limit: ByteSize::mb(50),
            idle_timeout: Duration::from_mins(1),
            idle_connections: 128,
            http2: false,
        }
    }
}

/// A size as a number of bytes that this machine can address.
pub(crate) fn bytes(size: ByteSize) -> usize {
    usize::try_from(size.as_u64()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        gateway: GatewayConfig,
    }

    #[test]
    fn the_commented_file_says_what_the_code_says() {
        let file: File = toml::from_str(include_str!("../config.default.toml")).unwrap();
        assert_eq!(file.gateway, GatewayConfig::default());
    }

    #[test]
    fn the_commented_file_names_every_setting() {
        let text = include_str!("../config.default.toml");
        let table: toml::Table = text.parse().unwrap();
        let count = |section: &toml::Value| section.as_table().unwrap().len();
        let gateway = &table["gateway"];
        let settings = [count(gateway), count(&gateway["limits"]), count(&gateway["remote"])];
        // A new field must be destructured here, and then be counted in the file.
        let GatewayConfig {
            request_timeout: _,
            body_limit: _,
            header_timeout: _,
            connection_limit: _,
            drain_timeout: _,
            health_timeout: _,
            query_page: _,
            compression: _,
            expose_plan: _,
            cors_origins: _,
            remembered_credentials: _,
            limits: _,
            remote: _,
            subgraph_urls: _,
        } = GatewayConfig::default();
        assert_eq!(settings, [14, 7, 6]);
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let error = toml::from_str::<File>("[gateway]\nrequest_timeuot = \"5s\"\n").err().unwrap();
        assert!(error.to_string().contains("unknown field `request_timeuot`"), "{error}");
    }
}
