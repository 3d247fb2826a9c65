//! The section `[gateway]`, a file for each section below it. `config.default.toml` says the same with the same defaults,
//! for people.

mod authorization;
mod batching;
mod changes;
mod clients;
mod cors;
mod cost;
mod errors;
mod introspection;
mod jwt;
mod key;
mod limits;
mod live_queries;
mod metrics;
mod overrides;
mod persisted_operations;
mod persisted_queries;
mod plan_exposure;
mod protection;
mod rate_limits;
mod redis;
mod remote;
mod response_cache;
mod secret;
mod subscriptions;
mod supergraph;
mod tls;
mod uploads;
mod usage;

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use serde::{Deserialize, Serialize};

pub use authorization::{AuthorizationConfig, AuthorizationMode};
pub use batching::BatchingConfig;
pub use clients::{ClientsConfig, InvalidNetwork, LogIps, Network};
pub use cors::CorsConfig;
pub use cost::{BucketConfig, CostConfig, CostMode, TellCost};
pub use errors::ErrorsConfig;
pub use introspection::{IntrospectionConfig, IntrospectionFor};
pub use jwt::{InvalidJwtConfig, IssuerConfig, JwtConfig};
pub(crate) use key::KeyPart;
pub use key::{InvalidKeyExpression, KeyExpression};
pub use limits::LimitsConfig;
pub use live_queries::LiveQueriesConfig;
pub use metrics::MetricsConfig;
pub use overrides::{Draw, InvalidLabelRule, LabelRule, OverridesConfig};
pub use persisted_operations::{ManifestFile, PersistedOperationsConfig};
pub use persisted_queries::PersistedQueriesConfig;
pub use plan_exposure::PlanExposure;
pub use protection::ProtectionConfig;
pub use rate_limits::RateLimitRule;
pub use redis::{InvalidRedisUrl, RedisConfig, RedisUrl, WhenUnreachable};
pub use remote::{
    BreakerConfig, HeadersConfig, RemoteConfig, RemoteTlsConfig, RequestHeaderRule, ResponseHeaderRule,
    RetriesConfig, Strategy, SubgraphConfig,
};
pub use response_cache::{InvalidResponseCache, ResponseCacheConfig, SubgraphCacheConfig};
pub use subscriptions::{StreamProtocol, SubgraphStreams, SubscriptionsConfig, UpstreamConfig};
pub use supergraph::SupergraphConfig;
pub use tls::{ClientCertificates, ServerTlsConfig};
pub use uploads::UploadsConfig;
pub use usage::UsageConfig;

/// The section `[gateway]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct GatewayConfig {
    /// How long a request may take.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// How large a request's body may be.
    pub body_limit: ByteSize,
    /// How long a client may take to send a request's head, and how long an idle connection is kept.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// How many connections are open at once. Idle ones make room for further ones, which else wait.
    pub connection_limit: usize,
    /// How many of them may come from one address; zero for no limit.
    pub connections_per_address: usize,
    /// How long the gateway still serves, not ready, once it is told to stop.
    #[serde(with = "humantime_serde")]
    pub drain_delay: Duration,
    /// How long requests under way may still take after that.
    #[serde(with = "humantime_serde")]
    pub drain_timeout: Duration,
    /// How often the settings file is looked at for changes.
    #[serde(with = "humantime_serde")]
    pub reload_interval: Duration,
    /// How long a readiness check may take before it counts as failed.
    #[serde(with = "humantime_serde")]
    pub health_timeout: Duration,
    /// Whether browsers find the query page.
    pub query_page: bool,
    /// Whether answers are compressed for clients that accept it.
    pub compression: bool,
    /// Who may ask for the query plan and the timings of a request.
    pub expose_plan: PlanExposure,
    /// Origins whose pages may call the API from a browser; `*` for all.
    pub cors_origins: Vec<String>,
    /// Where requests come from, and what the log tells of it.
    pub clients: ClientsConfig,
    /// What those pages may send and read.
    pub cors: CorsConfig,
    /// What requests must look like before anybody reads them.
    pub protection: ProtectionConfig,
    /// How many verified credentials are remembered.
    pub remembered_credentials: u64,
    /// Tokens of issuers that the gateway trusts. For a gateway that stands alone.
    pub jwt: JwtConfig,
    /// Who may look at the schema.
    pub introspection: IntrospectionConfig,
    /// What clients are told of errors.
    pub errors: ErrorsConfig,
    /// What the supergraph demands of callers.
    pub authorization: AuthorizationConfig,
    /// Where the supergraph comes from, and how its versions take turns.
    pub supergraph: SupergraphConfig,
    /// What is measured, and where it is read.
    pub metrics: MetricsConfig,
    /// What one operation may ask for.
    pub limits: LimitsConfig,
    /// Several operations in one request.
    pub batching: BatchingConfig,
    /// Operations that clients publish before they send them.
    pub persisted_operations: PersistedOperationsConfig,
    /// Operations that clients send by their hash.
    pub persisted_queries: PersistedQueriesConfig,
    /// Files that come with operations.
    pub uploads: UploadsConfig,
    /// How clients reach the gateway over TLS.
    pub tls: ServerTlsConfig,
    /// Subgraphs that are reached over HTTP.
    pub remote: RemoteConfig,
    /// Streams, to clients and from subgraphs.
    pub subscriptions: SubscriptionsConfig,
    /// Queries that are answered again when something that they read has changed.
    pub live_queries: LiveQueriesConfig,
    /// Addresses of subgraphs by name, over those that the supergraph names.
    pub subgraph_urls: BTreeMap<String, String>,
    /// What differs for one subgraph from `remote`, by its name.
    pub subgraphs: BTreeMap<String, SubgraphConfig>,
    /// Whether equal queries of equal callers that are under way at the same time are run once. Those of which a subgraph
    /// is asked that has `deduplicate` turned off never are.
    pub deduplicate: bool,
    /// Whether clients are told how long an answer may be kept, when all subgraphs that gave parts of it say so.
    pub merge_cache_control: bool,
    /// Answers that are kept.
    pub response_cache: ResponseCacheConfig,
    /// Labels of progressive `@override`.
    pub overrides: OverridesConfig,
    /// What operations may cost.
    pub cost: CostConfig,
    /// How often requests may come.
    pub rate_limits: Vec<RateLimitRule>,
    /// How many keys of rate limits and budgets are told apart in this process.
    pub quota_keys: usize,
    /// A Redis that several processes share.
    pub redis: RedisConfig,
    /// What a schema registry is told of what clients use.
    pub usage: UsageConfig,
}

impl Default for GatewayConfig {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            body_limit: ByteSize::mb(1),
            header_timeout: Duration::from_secs(15),
            connection_limit: 10_000,
            connections_per_address: 0,
            drain_delay: Duration::ZERO,
            drain_timeout: Duration::from_secs(10),
            reload_interval: Duration::from_secs(1),
            health_timeout: Duration::from_secs(2),
            query_page: true,
            compression: true,
            expose_plan: PlanExposure::Off,
            cors_origins: Vec::new(),
            clients: ClientsConfig::default(),
            cors: CorsConfig::default(),
            protection: ProtectionConfig::default(),
            remembered_credentials: 100_000,
            jwt: JwtConfig::default(),
            introspection: IntrospectionConfig::default(),
            errors: ErrorsConfig::default(),
            authorization: AuthorizationConfig::default(),
            supergraph: SupergraphConfig::default(),
            metrics: MetricsConfig::default(),
            limits: LimitsConfig::default(),
            batching: BatchingConfig::default(),
            persisted_operations: PersistedOperationsConfig::default(),
            persisted_queries: PersistedQueriesConfig::default(),
            uploads: UploadsConfig::default(),
            tls: ServerTlsConfig::default(),
            remote: RemoteConfig::default(),
            subscriptions: SubscriptionsConfig::default(),
            live_queries: LiveQueriesConfig::default(),
            subgraph_urls: BTreeMap::new(),
            subgraphs: BTreeMap::new(),
            deduplicate: true,
            merge_cache_control: true,
            response_cache: ResponseCacheConfig::default(),
            overrides: OverridesConfig::default(),
            cost: CostConfig::default(),
            rate_limits: Vec::new(),
            quota_keys: 100_000,
            redis: RedisConfig::default(),
            usage: UsageConfig::default(),
        }
    }
}

impl GatewayConfig {
    /// The settings for one subgraph.
    pub fn remote_for(&self, subgraph: &str) -> RemoteConfig {
        self.subgraphs.get(subgraph).map_or_else(|| self.remote.clone(), |own| own.over(&self.remote))
    }

    /// Where the configuration says that a subgraph is.
    pub fn url_of(&self, subgraph: &str) -> Option<&str> {
        let own = || self.subgraphs.get(subgraph).map(|own| &own.url).filter(|url| !url.is_empty());
        self.subgraph_urls
            .get(subgraph)
            .or_else(own)
            .or_else(|| self.url_of_alike(subgraph))
            .map(String::as_str)
    }

    /// Variables of the environment have no hyphens, and their case says nothing.
    fn url_of_alike(&self, subgraph: &str) -> Option<&String> {
        let alike = |name: &String| spelled_alike(name, subgraph);
        self.subgraph_urls.iter().find_map(|(name, url)| alike(name).then_some(url))
    }
}

/// Whether names are equal but for case, and for hyphens in place of underscores.
pub(crate) fn spelled_alike(one: &str, other: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace('-', "_");
    plain(one) == plain(other)
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
        let file: File = toml::from_str(include_str!("../../config.default.toml")).unwrap();
        assert_eq!(file.gateway, GatewayConfig::default());
    }

    #[test]
    fn the_commented_file_names_every_setting() {
        let file: toml::Table = include_str!("../../config.default.toml").parse().unwrap();
        let code = toml::Table::try_from(GatewayConfig::default()).unwrap();
        let mut missing = Vec::new();
        unnamed("gateway", &code, file["gateway"].as_table().unwrap(), &mut missing);
        assert_eq!(missing, Vec::<String>::new());
    }

    /// Settings of the code that the file does not name.
    fn unnamed(section: &str, code: &toml::Table, file: &toml::Table, missing: &mut Vec<String>) {
        for (name, value) in code {
            let path = format!("{section}.{name}");
            match (value, file.get(name)) {
                (_, None) => missing.push(path),
                (toml::Value::Table(code), Some(toml::Value::Table(file))) => {
                    unnamed(&path, code, file, missing);
                }
                _ => {}
            }
        }
    }

    #[test]
    fn an_unknown_setting_is_refused() {
        let error = toml::from_str::<File>("[gateway]\nrequest_timeuot = \"5s\"\n").err().unwrap();
        assert!(error.to_string().contains("unknown field `request_timeuot`"), "{error}");
    }
}
