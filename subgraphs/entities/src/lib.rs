#![doc = include_str!("../README.md")]

mod check;
mod entity;
mod entity_type;
mod error;
pub mod export;
mod graphql;
mod history;
pub mod import;
mod kept;
#[cfg(test)]
mod plans;
mod relationship;
mod saved;
mod sight;
mod tags;
mod traversal;

use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_store::Store;

pub use check::Problem;
pub use error::GraphError;
pub use graphql::{Mutation, Query, Schema, Subscription, schema};

/// The subgraph over `store` and the end of its log.
pub fn subgraph(store: Store, tail: Tail) -> Subgraph {
    let validators = entity_type::Validators::default();
    Subgraph::new("entities", schema(), store, tail, move |request, session| {
        request.data(graphql::Loaders::new(session)).data(validators.clone())
    })
}
