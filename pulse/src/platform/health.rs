//! What `/health/ready` looks at.

use std::sync::Arc;

use pulse_events::Relay;
use pulse_gateway::{HealthCheck, RedisConfig};
use pulse_graphql::Subgraph;
use pulse_store::Store;

use super::background::relay;

/// Without its database nothing is answered.
pub(super) fn database(store: &Store) -> HealthCheck {
    let store = store.clone();
    HealthCheck::new("database", move || {
        let store = store.clone();
        async move {
            store.ping().await.map_err(|error| {
                tracing::warn!(%error, "the database is not ready");
                "the database does not answer".to_owned()
            })
        }
    })
}

/// Without what it has for helpers, a subgraph does less well.
pub(super) fn helpers(subgraph: &Subgraph) -> impl Iterator<Item = HealthCheck> + use<'_> {
    subgraph.helpers.iter().map(|helper| {
        let helper = Arc::clone(helper);
        HealthCheck::degrading(helper.name(), move || {
            let helper = Arc::clone(&helper);
            async move { helper.check().await }
        })
    })
}

/// Without Redis, where there is one, each process reads the event log and keeps limits by itself.
pub(super) fn redis(config: &RedisConfig) -> Option<HealthCheck> {
    let relay: Relay = relay(config)?;
    Some(HealthCheck::degrading("redis", move || {
        let relay = relay.clone();
        async move {
            relay.ping().await.map_err(|error| {
                tracing::warn!(%error, "Redis is not ready");
                "Redis does not answer: events come from the log itself, and limits hold for each process"
                    .to_owned()
            })
        }
    }))
}
