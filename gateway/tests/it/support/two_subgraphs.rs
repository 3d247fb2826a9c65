//! A gateway in front of two subgraphs: a shaky one, and a steady one that always answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use pulse_gateway::{GatewayConfig, GatewayParts, StaticSource, SubgraphConfig, Subgraphs};

use super::clock;
use super::gateway::{TestGateway, parts};
use super::scripted_server::{ScriptedServer, json};

const SUPERGRAPH: &str = include_str!("two_subgraphs.graphql");

/// What the steady subgraph always answers.
const STEADY: &str = r#"{"data":{"fine":"well","products":[{"__typename":"Product","upc":"1"},{"__typename":"Product","upc":"2"}]}}"#;

pub(crate) async fn steady() -> ScriptedServer {
    ScriptedServer::always(vec![json(STEADY)]).await
}

/// A gateway whose shaky subgraph is at an address.
pub(crate) async fn gateway(shaky: &str, steady: &str, config: GatewayConfig) -> TestGateway {
    let config = with_urls(config, shaky, steady);
    TestGateway::with(two_parts(&config), config).await
}

/// The same with parts of one's own.
pub(crate) fn with_urls(config: GatewayConfig, shaky: &str, steady: &str) -> GatewayConfig {
    let urls = [("shaky", shaky), ("steady", steady)];
    let subgraph_urls = urls.map(|(name, url)| (name.to_owned(), url.to_owned()));
    GatewayConfig { subgraph_urls: BTreeMap::from(subgraph_urls), ..config }
}

pub(crate) fn two_parts(config: &GatewayConfig) -> GatewayParts {
    GatewayParts {
        subgraphs: Subgraphs::remote(config, None, clock()),
        source: Arc::new(StaticSource::new(SUPERGRAPH)),
        ..parts()
    }
}

/// Settings of one subgraph, as TOML.
pub(crate) fn settings(config: GatewayConfig, subgraph: &str, toml: &str) -> GatewayConfig {
    let own: SubgraphConfig = toml::from_str(toml).unwrap();
    let mut subgraphs = config.subgraphs.clone();
    subgraphs.insert(subgraph.to_owned(), own);
    GatewayConfig { subgraphs, ..config }
}
