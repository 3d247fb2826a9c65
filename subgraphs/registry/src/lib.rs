#![doc = include_str!("../README.md")]

mod check;
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
/// which parts of `surfaces` notice a change, too.
pub fn subgraph(store: Store, tail: Tail, sealer: Sealer, surfaces: Arc<dyn Surfaces>) -> Subgraph {
    let (composer, signing) = (Composer::default(), Signing::new(sealer));
    Subgraph::new("registry", schema(), store, tail, move |request, session| {
        request
            .data(graphql::Loaders::new(session))
            .data(composer.clone())
            .data(signing.clone())
            .data(Arc::clone(&surfaces))
    })
}
