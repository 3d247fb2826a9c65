#![doc = include_str!("../README.md")]

mod auth;
mod config;
pub mod engine;
mod gateway;
mod http;
mod lifecycle;
mod persisted_queries;
mod pipeline;
pub mod ports;
pub mod remote;
mod sizes;
mod source;
mod streams;
mod supergraph;
mod uploads;
pub mod value;

pub use self::http::{HealthCheck, ServerConfig, serve};
pub use auth::AnonymousAuthenticator;
pub use config::{AuthorizationConfig, AuthorizationMode};
pub use config::{
    BatchingConfig, Draw, GatewayConfig, InvalidLabelRule, LabelRule, LimitsConfig, OverridesConfig,
    PersistedQueriesConfig, RemoteConfig, StreamProtocol, SubgraphStreams, SubscriptionsConfig,
    UploadsConfig, UpstreamConfig,
};
pub use gateway::{Gateway, GatewayParts, Reconfigured};
pub use source::{FileSource, StaticSource};
pub use supergraph::{Reach, Subgraphs, SupergraphError};
pub use uploads::UploadError;
