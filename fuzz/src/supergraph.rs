//! A supergraph as its loader takes it.

use std::sync::Arc;

use pulse_gateway::engine::{Engine, EngineConfig};
use pulse_gateway::ports::{SubgraphFault, SupergraphSdl};
use pulse_gateway::remote::subgraph_endpoints;

use super::{platform, response};

/// Asks for all that a supergraph can say of itself.
const INTROSPECTION: &str = include_str!("../subgraphs/introspection.graphql");

/// Loads `data` as the SDL of a supergraph. What can be served answers introspection.
pub fn run(data: &[u8]) {
    let Ok(sdl) = std::str::from_utf8(data) else { return };
    let Ok(endpoints) = subgraph_endpoints(sdl) else { return };
    let silent: Arc<platform::Answer> = Arc::new(|| Err(SubgraphFault::CircuitOpen));
    let subgraphs = endpoints.into_iter().map(|(name, _)| platform::subgraph(name, &silent)).collect();
    let supergraph = SupergraphSdl { sdl: sdl.to_owned(), version: "fuzzed".to_owned() };
    let Ok(engine) = Engine::load(&supergraph, subgraphs, &EngineConfig::default()) else { return };
    if let Ok(operation) = platform::block_on(engine.prepare(INTROSPECTION, None)) {
        response::check(&platform::block_on(engine.execute(&operation, None, platform::context())));
    }
}
