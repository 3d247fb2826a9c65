//! Streams of answers to clients: over WebSocket, as server-sent events, as multipart. Each transport is a folder or a
//! file; what they share is how a stream ends and how many there may be.

mod directory;
mod end;
mod event_stream;
mod framing;
mod head;
mod live;
pub(crate) mod live_query;
mod outlet;
mod places;
mod queue;
pub(crate) mod response;
pub(crate) mod single_connection;
mod upstream;
pub(crate) mod websocket;

pub(crate) use directory::Beginning;
pub use directory::{OpenStream, StreamDirectory, StreamFilter, StreamKind};
pub(crate) use end::{End, Ending};
pub(crate) use head::kept;
pub(crate) use live::{Begin, Live};
pub(crate) use places::{Place, Places};

use std::sync::Arc;

use pulse_types::Clock;

use crate::config::GatewayConfig;
use live_query::LiveQueries;
use single_connection::Reservations;
use upstream::Upstreams;

/// What all streams of a process share, whatever the configuration is.
pub(crate) struct Streams {
    /// How many there may be.
    pub(crate) places: Places,
    /// Event streams that carry many operations.
    pub(crate) reservations: Reservations,
    /// Streams from subgraphs.
    pub(crate) upstreams: Arc<Upstreams>,
    /// Queries that are answered again and again.
    pub(crate) live_queries: Arc<LiveQueries>,
    /// Those that are open.
    pub(crate) directory: StreamDirectory,
}

impl Streams {
    pub(crate) fn new(config: &GatewayConfig, clock: &Clock) -> Self {
        let reservations = Reservations::new(config.subscriptions.reservation_limit);
        let places = Places::new(&config.subscriptions);
        let live_queries = Arc::new(LiveQueries::new(&config.live_queries));
        Self {
            places,
            reservations,
            upstreams: Arc::default(),
            live_queries,
            directory: StreamDirectory::new(clock.clone()),
        }
    }
}
