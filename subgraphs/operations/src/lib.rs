#![doc = include_str!("../README.md")]

mod audit;
mod config;
mod dead_letter;
mod delivery;
mod dispatch;
mod graphql;
mod job;
#[cfg(test)]
mod plans;
mod schedule;
mod sending;
mod stream;
mod webhook;

use std::sync::Arc;

use async_graphql::Schema;
use pulse_audit::Chain;
use pulse_events::Tail;
use pulse_graphql::Subgraph;
use pulse_sealing::Sealer;
use pulse_store::Store;
use tokio::sync::Notify;

pub use config::{Config, Pause, WebhookConfig};
pub use dispatch::Dispatcher;
pub use graphql::{Mutation, Query, Subscription};
pub use sending::{InvalidCaFile, Resolve, SystemResolver};
pub use stream::{OpenedStream, STREAMS_ENDED, STREAMS_PATH, StreamReport, report_streams};
pub use webhook::Resealer;

/// The settings of this subgraph with their defaults, commented, as TOML.
pub const DEFAULT_CONFIG: &str = include_str!("../config.default.toml");

/// The GraphQL schema; needs no database.
pub fn schema() -> Schema<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

/// The subgraph on a database and the end of its log. What it must keep secret, it keeps sealed.
pub fn subgraph(store: Store, tail: Tail, sealer: Sealer, config: Config) -> Result<Subgraph, InvalidCaFile> {
    Ok(subgraph_with((store, tail), sealer, config, Arc::new(SystemResolver))?.0)
}

/// The same with another way to look up names, and what sends to webhooks, for tests that send step by step.
pub fn subgraph_with(
    (store, tail): (Store, Tail),
    sealer: Sealer,
    config: Config,
    resolver: Arc<dyn Resolve>,
) -> Result<(Subgraph, Arc<Dispatcher>), InvalidCaFile> {
    let (webhooks, wake) = (Arc::new(config.webhooks), Arc::new(Notify::new()));
    let (config, told) = (Arc::clone(&webhooks), Arc::clone(&wake));
    let dispatcher = Dispatcher::try_new(store.clone(), config, sealer.clone(), resolver, told)?;
    let dispatcher = Arc::new(dispatcher);
    let resealer = Arc::new(Resealer::new(store.clone(), sealer.clone()));
    let publisher = dispatch::Publisher::new(store.clone(), tail.clone(), wake);
    let internal = stream::routes(store.clone());
    let chain = Chain::new(sealer.clone());
    let mut subgraph = Subgraph::new("operations", schema(), store, tail, move |request, session| {
        request.data(graphql::Loaders::new(session)).data(Arc::clone(&webhooks)).data(sealer.clone())
    });
    subgraph.internal = internal;
    subgraph.consumers = vec![Arc::new(publisher), Arc::new(chain)];
    subgraph.services = vec![Arc::clone(&dispatcher) as _, resealer];
    Ok((subgraph, dispatcher))
}
