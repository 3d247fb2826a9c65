//! Streams of answers to clients: over WebSocket, as server-sent events, as multipart. Each transport is a folder or a
//! file; what they share is how a stream ends and how many there may be.

mod end;
mod event_stream;
mod framing;
mod places;
pub(crate) mod response;
pub(crate) mod single_connection;
pub(crate) mod websocket;

pub(crate) use end::{End, Ending};
pub(crate) use places::{Place, Places};

use crate::config::SubscriptionsConfig;
use single_connection::Reservations;

/// What all streams of a process share, whatever the configuration is.
pub(crate) struct Streams {
    /// How many there may be.
    pub(crate) places: Places,
    /// Event streams that carry many operations.
    pub(crate) reservations: Reservations,
}

impl Streams {
    pub(crate) fn new(config: &SubscriptionsConfig) -> Self {
        Self { places: Places::new(config), reservations: Reservations::new(config.reservation_limit) }
    }
}
