#![doc = include_str!("../README.md")]

mod check;
mod clients;
mod composer;
mod composition;
mod graphql;
mod overrides;
#[cfg(test)]
mod plans;
mod rules;
mod signing;
mod target;
mod usage;
mod variant;
mod version;

use std::sync::Arc;

use async_graphql::Schema;
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_sealing::Sealer;
use pulse_store::Store;

pub use check::{GraphqlAlone, SurfaceKind, SurfaceOperation, Surfaces};
pub use clients::{
    Api as ClientApi, InvalidApi, OPERATIONS_PATH, OperationsQuestion, PublishedReader,
    SUBJECT as CLIENT_SUBJECT,
};
pub use graphql::{Mutation, Query, Subscription};

use composer::Composer;
use signing::Signing;

/// The GraphQL schema; needs no database.
pub fn schema() -> Schema<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

/// The subgraph on a database. Supergraphs are signed with keys that follow from that of `sealer`. Checks say
/// which parts of `surfaces` notice a change, too; `api` is what the operations of clients are sent to.
pub fn subgraph(
    store: Store,
    tail: Tail,
    sealer: Sealer,
    (surfaces, api): (Arc<dyn Surfaces>, ClientApi),
) -> Subgraph {
    let (composer, signing) = (Composer::default(), Signing::new(sealer));
    let internal = clients::internal_routes(store.clone(), tail.clone());
    let subgraph = Subgraph::new("registry", schema(), store, tail, move |request, session| {
        request
            .data(graphql::Loaders::new(session))
            .data(composer.clone())
            .data(signing.clone())
            .data(Arc::clone(&surfaces))
            .data(api.clone())
    });
    Subgraph { internal, ..subgraph }
}
