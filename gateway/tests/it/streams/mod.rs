//! Streams to clients and from subgraphs, over real sockets.

pub(crate) mod body;
mod connections;
mod directory;
mod endings;
mod event_stream;
pub(crate) mod feed;
mod multipart;
mod sharing;
mod single_connection;
pub(crate) mod socket;
mod supergraphs;
pub(crate) mod swaps;
mod thousand;
mod upstream;
mod upstream_settings;
mod websocket;
mod websocket_limits;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pulse_gateway::{GatewayConfig, GatewayParts, StaticSource, Subgraphs};

use crate::support::gateway::{TestGateway, parts};
use feed::{Feed, Names};

/// A supergraph of the feed and the names.
const SUPERGRAPH: &str = include_str!("supergraph.graphql");

/// What must come soon, or the test fails.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_mins(2), future).await.expect("it came in time")
}

/// The parts of a gateway over the feed and the names.
fn feed_parts(feed: &Feed) -> GatewayParts {
    GatewayParts {
        subgraphs: Subgraphs::Fixed(vec![Arc::new(feed.clone()), Arc::new(Names)]),
        source: Arc::new(StaticSource::new(SUPERGRAPH)),
        ..parts()
    }
}

async fn start() -> (TestGateway, Feed) {
    configured(|_| {}).await
}

async fn configured(configure: impl FnOnce(&mut GatewayConfig)) -> (TestGateway, Feed) {
    let feed = Feed::default();
    let mut config = GatewayConfig::default();
    configure(&mut config);
    (TestGateway::with(feed_parts(&feed), config).await, feed)
}
