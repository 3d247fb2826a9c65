#![doc = include_str!("../README.md")]

mod auth;
mod changes;
mod check;
mod config;
pub mod engine;
mod file_operations;
mod flights;
mod gateway;
mod hex;
mod http;
mod https;
mod lifecycle;
mod persisted_queries;
mod pipeline;
pub mod ports;
mod quota;
pub mod remote;
mod response_cache;
mod sizes;
mod source;
mod streams;
mod supergraph;
mod surface;
mod tls;
mod trace;
mod uploads;
mod usage;
pub mod value;
mod variants;

pub use self::http::{HealthCheck, ServerConfig, client_of, serve};
pub use auth::{AnonymousAuthenticator, JwtAuthenticator, JwtError};
pub use changes::Reads;
pub use check::{
    Check, Finding, Severity, SubgraphReport, SupergraphReport, UnusableSettings, check_settings,
    check_standalone, check_supergraph, check_usable,
};
pub use config::UsageConfig;
pub use config::{AuthorizationConfig, AuthorizationMode};
pub use config::{
    BatchingConfig, BreakerConfig, BucketConfig, ClientCertificates, CostConfig, CostMode, Draw,
    GatewayConfig, HeadersConfig, InvalidKeyExpression, InvalidLabelRule, InvalidRedisUrl, KeyExpression,
    LabelRule, LimitsConfig, LiveQueriesConfig, ManifestFile, MetricsConfig, OverridesConfig,
    PersistedOperationsConfig, PersistedQueriesConfig, PlanExposure, RateLimitRule, RedisConfig, RedisUrl,
    RemoteConfig, RemoteTlsConfig, RequestHeaderRule, ResponseHeaderRule, RetriesConfig, ServerTlsConfig,
    Strategy, StreamProtocol, SubgraphConfig, SubgraphStreams, SubscriptionsConfig, SupergraphConfig,
    TellCost, UploadsConfig, UpstreamConfig, WhenUnreachable,
};
pub use config::{ClientsConfig, CorsConfig, InvalidNetwork, LogIps, Network, ProtectionConfig};
pub use config::{ErrorsConfig, IntrospectionConfig, IntrospectionFor};
pub use config::{InvalidJwtConfig, IssuerConfig, JwtConfig};
pub use config::{InvalidResponseCache, ResponseCacheConfig, SubgraphCacheConfig};
pub use file_operations::{FileOperations, UnusableManifest};
pub use gateway::{Gateway, GatewayParts, Reconfigured};
pub use pipeline::MadeHere;
pub use quota::warnings as quota_warnings;
pub use source::{FileSource, InvalidSourceUrl, StaticSource, UrlSource};
pub use streams::{OpenStream, StreamDirectory, StreamFilter, StreamKind};
pub use supergraph::{Reach, Subgraphs, SupergraphError};
pub use surface::{Answered, Api, Call, Followed, PublishedFor, Refused, Surface, SurfaceOperation};
pub use tls::InvalidTls;
pub use uploads::UploadError;
pub use usage::InvalidUsage;
