#![doc = include_str!("../README.md")]

mod event;
mod graphql;
mod metric;
#[cfg(test)]
mod plans;
mod series;

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
    Subgraph::new("analytics", schema(), store, tail, |request, session| {
        request.data(graphql::Loaders::new(session))
    })
}
