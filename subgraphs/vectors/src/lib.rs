#![doc = include_str!("../README.md")]

mod collection;
mod graphql;
mod item;
#[cfg(test)]
mod plans;
mod sight;

use std::sync::Arc;

use async_graphql::Schema;
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_store::Store;

pub use graphql::{Mutation, Query, Subscription};

/// The GraphQL schema; needs no database.
pub fn schema() -> Schema<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

/// The subgraph on a database.
pub fn subgraph(store: Store, tail: Tail) -> Subgraph {
    let mut subgraph = Subgraph::new("vectors", schema(), store, tail, |request, session| {
        request.data(graphql::Loaders::new(session))
    });
    subgraph.jobs = vec![Arc::new(collection::BuildIndex), Arc::new(collection::DropPartition)];
    subgraph
}
