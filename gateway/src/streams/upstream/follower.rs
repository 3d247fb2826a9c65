//! One who follows a stream.

use std::collections::VecDeque;
use std::sync::Arc;

use super::hub::{Event, Hub};
use crate::ports::SubgraphFault;
use crate::streams::queue;

/// What a follower hears.
#[derive(Debug)]
pub(crate) enum Happening {
    Event(Event),
    /// The source has no more.
    Complete,
    /// The source broke off.
    Broken(SubgraphFault),
    /// This follower was too far behind.
    Slow,
}

/// Reads a stream at its own pace, up to a limit.
pub(crate) struct Follower {
    hub: Arc<Hub>,
    id: u64,
    /// What there was before it joined.
    missed: VecDeque<Event>,
    events: queue::Receiver<Event>,
}

impl Follower {
    pub(super) const fn new(
        hub: Arc<Hub>,
        id: u64,
        missed: VecDeque<Event>,
        events: queue::Receiver<Event>,
    ) -> Self {
        Self { hub, id, missed, events }
    }

    pub(super) const fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Returns when the stream is open, or cannot be opened.
    pub(crate) async fn opened(&self) -> Result<(), SubgraphFault> {
        self.hub.opened().await
    }

    /// What comes next. Nothing is lost when this is not waited for to its end.
    pub(crate) async fn next(&mut self) -> Happening {
        if let Some(event) = self.missed.pop_front() {
            return Happening::Event(event);
        }
        match self.events.recv().await {
            Some(event) => Happening::Event(event),
            None => match self.hub.ended() {
                None => Happening::Slow,
                Some(Ok(())) => Happening::Complete,
                Some(Err(fault)) => Happening::Broken(fault),
            },
        }
    }

    /// The number of the newest event that is there already.
    pub(crate) fn newest(&self) -> u64 {
        self.hub.newest()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.hub.leave(self.id);
    }
}
