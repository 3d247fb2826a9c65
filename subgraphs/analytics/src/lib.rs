#![doc = include_str!("../README.md")]

mod event;
mod graphql;
#[cfg(test)]
mod plans;
mod series;

use async_graphql::{EmptySubscription, Schema};
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_store::Store;

pub use graphql::{Mutation, Query};

/// The GraphQL schema; needs no database.
pub fn schema() -> Schema<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription).enable_federation().finish()
}

/// The subgraph on a database.
pub fn subgraph(store: Store, tail: Tail) -> Subgraph {
    Subgraph::new("analytics", schema(), store, tail, |request, session| {
        request.data(graphql::Loaders::new(session))
    })
}
