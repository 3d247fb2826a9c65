//! How many connections and streams there may be at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::SubscriptionsConfig;
use crate::engine::{ErrorCode, RequestError};
use crate::pipeline::Refusal;

/// What is left of the limits.
#[derive(Debug)]
pub(crate) struct Places {
    sockets: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// Taken for as long as it is held.
#[derive(Debug)]
pub(crate) struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Places {
    pub(crate) fn new(config: &SubscriptionsConfig) -> Self {
        let semaphore = |limit: usize| Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        Self { sockets: semaphore(config.socket_limit), streams: semaphore(config.stream_limit) }
    }

    /// A place for a WebSocket connection.
    pub(crate) fn socket(&self) -> Result<Place, Refusal> {
        take(
            &self.sockets,
            "TOO_MANY_CONNECTIONS",
            "there are too many connections just now; try again later",
        )
    }

    /// A place for a stream.
    pub(crate) fn stream(&self) -> Result<Place, Refusal> {
        take(&self.streams, "TOO_MANY_STREAMS", "there are too many streams just now; try again later")
    }
}

fn take(places: &Arc<Semaphore>, reason: &'static str, message: &str) -> Result<Place, Refusal> {
    let permit = Arc::clone(places).try_acquire_owned();
    let error = |_| Refusal::errors(vec![RequestError::new(ErrorCode::Unavailable, message).because(reason)]);
    permit.map(|permit| Place { _permit: permit }).map_err(error)
}
