#![doc = include_str!("../README.md")]

mod clients;
mod composer;
mod composition;
mod graphql;
#[cfg(test)]
mod plans;
mod target;
mod variant;
mod version;

use async_graphql::{EmptySubscription, Schema};
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_store::Store;

pub use clients::{
    Api as ClientApi, InvalidApi, OPERATIONS_PATH, OperationsQuestion, PublishedReader,
    SUBJECT as CLIENT_SUBJECT,
};
pub use graphql::{Mutation, Query};

use composer::Composer;

/// The GraphQL schema; needs no database.
pub fn schema() -> Schema<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

/// The subgraph on a database. `api` is what the operations of clients are sent to.
pub fn subgraph(store: Store, tail: Tail, api: ClientApi) -> Subgraph {
    let composer = Composer::default();
    let internal = clients::internal_routes(store.clone(), tail.clone());
    let subgraph = Subgraph::new("registry", schema(), store, tail, move |request, session| {
        request.data(graphql::Loaders::new(session)).data(composer.clone()).data(api.clone())
    });
    Subgraph { internal, ..subgraph }
}
