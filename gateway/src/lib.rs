#![doc = include_str!("../README.md")]

mod auth;
mod config;
pub mod engine;
mod gateway;
mod http;
mod lifecycle;
mod pipeline;
pub mod ports;
pub mod remote;
mod source;
mod supergraph;
pub mod value;

pub use self::http::{HealthCheck, ServerConfig, serve};
pub use auth::AnonymousAuthenticator;
pub use config::{
    Draw, GatewayConfig, InvalidLabelRule, LabelRule, LimitsConfig, OverridesConfig, RemoteConfig,
};
pub use gateway::{Gateway, GatewayParts, Reconfigured};
pub use source::{FileSource, StaticSource};
pub use supergraph::{Reach, Subgraphs, SupergraphError};
