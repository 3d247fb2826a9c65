#![doc = include_str!("../README.md")]

mod check;
mod config;
mod entity;
mod entity_type;
mod error;
pub mod export;
mod graphql;
mod history;
pub mod import;
mod kept;
mod neo4j;
#[cfg(test)]
mod plans;
mod relationship;
mod saved;
mod sight;
mod tags;
mod traversal;

use std::sync::Arc;

use pulse_events::Tail;
use pulse_graphql::{Helper, Service, Subgraph};
use pulse_store::Store;

pub use check::Problem;
pub use config::{Config, Neo4jConfig};
pub use error::GraphError;
pub use graphql::{Mutation, Query, Schema, Subscription, schema};
pub use neo4j::{
    Difference, Neo4j, Neo4jError, Neo4jOptions, Progress, ProjectionError, Projector, Step, Verified,
};

/// The subgraph over `store` and the end of its log.
pub fn subgraph(store: Store, tail: Tail) -> Subgraph {
    subgraph_with(store, tail, None)
}

/// The same with a copy of the graph in Neo4j, where there is one, for walks to go through.
pub fn subgraph_with(store: Store, tail: Tail, neo4j: Option<Neo4j>) -> Subgraph {
    let projector = neo4j.clone().map(|neo4j| Arc::new(Projector::new(store.clone(), tail.clone(), neo4j)));
    let helper = neo4j.clone();
    let validators = entity_type::Validators::default();
    let mut subgraph = Subgraph::new("entities", schema(), store, tail, move |request, session| {
        request.data(graphql::Loaders::new(session)).data(validators.clone()).data(neo4j.clone())
    });
    subgraph.services.extend(projector.map(|projector| projector as Arc<dyn Service>));
    subgraph.helpers.extend(helper.map(|neo4j| Arc::new(neo4j) as Arc<dyn Helper>));
    subgraph
}
