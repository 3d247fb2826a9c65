//! Streams from subgraphs, shared by those who may: one caller's equal subscriptions, or those that the supergraph
//! declares to be the same for a tenant or for everybody.

mod follower;
mod hub;
mod key;
mod pump;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::config::SubscriptionsConfig;
use crate::engine::Source;
use crate::value::Value;

pub(crate) use follower::{Follower, Happening};
pub(crate) use hub::Event;
use hub::{Hub, Opening, Position};
use key::Key;

/// All of them that are open.
#[derive(Default)]
pub(crate) struct Upstreams {
    hubs: Mutex<HashMap<Key, Weak<Hub>>>,
}

/// What bounds one stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// How many events wait for each of its followers.
    pub(crate) buffered: usize,
    /// How long it waits for its only follower to read.
    pub(crate) patience: Duration,
    /// How often it is opened again when it breaks off.
    pub(crate) attempts: u32,
}

impl From<&SubscriptionsConfig> for Bounds {
    fn from(config: &SubscriptionsConfig) -> Self {
        Self {
            buffered: config.buffered_events.max(1),
            patience: config.slow_client_timeout,
            attempts: config.upstream.resume_attempts,
        }
    }
}

/// How a follower gets from one stream to the one that replaces it.
pub(crate) struct Move {
    /// Of the new stream.
    pub(crate) follower: Follower,
    /// The number, in the old stream, of the last event that the new one does not repeat. Where there is no cursor to go
    /// on from, the new stream begins somewhere: there may be a gap.
    pub(crate) joint: Option<u64>,
}

impl Upstreams {
    /// Follows a stream that is open and may be shared, or opens one.
    pub(crate) fn follow(self: &Arc<Self>, source: &Source, bounds: Bounds) -> Follower {
        let key = Key::of(source);
        let remembers = source.begins_after.is_some();
        let position = if remembers { Position::Beginning } else { Position::Now };
        loop {
            // Letting go of a stream locks the list, so that none is let go of while it is locked.
            let known = self.lock().get(&key).and_then(Weak::upgrade);
            let place = known.as_ref().map_or(std::ptr::null(), Arc::as_ptr);
            let running = known.filter(|hub| hub.ended().is_none());
            if let Some(follower) = running.and_then(|hub| Hub::join(&hub, position)) {
                return follower;
            }
            let mut hubs = self.lock();
            let other = hubs.get(&key).is_some_and(|hub| hub.strong_count() > 0 && hub.as_ptr() != place);
            if !other {
                let opening = Opening { key: key.clone(), source: source.clone(), after: None, remembers };
                let hub = Hub::open(opening, bounds, Arc::downgrade(self));
                hubs.insert(key, Arc::downgrade(&hub));
                drop(hubs);
                return first(&hub);
            }
        }
    }

    /// Follows the stream that replaces `old` now that `source` is what is wanted. All followers of `old` who want the
    /// same get the same stream.
    pub(crate) fn replace(self: &Arc<Self>, old: &Follower, source: &Source, bounds: Bounds) -> Move {
        let key = Key::of(source);
        let open = |after| {
            let opening = Opening { key: key.clone(), source: source.clone(), after, remembers: true };
            Hub::open(opening, bounds, Arc::downgrade(self))
        };
        let (hub, joint) = old.hub().successor(&key, open);
        let mut hubs = self.lock();
        // It does not begin where a new client of these variables would want it to.
        let is_joinable = source.begins_after.is_none();
        if is_joinable && hubs.get(&key).is_none_or(|hub| hub.strong_count() == 0) {
            hubs.insert(key.clone(), Arc::downgrade(&hub));
        }
        drop(hubs);
        if let Some(follower) = Hub::join(&hub, Position::Beginning) {
            return Move { follower, joint };
        }
        // It has gone on for so long that it no longer knows its beginning: this follower gets one of its own.
        let (cursor, joint) = old.hub().place();
        Move { follower: first(&open(cursor)), joint }
    }

    /// Whether a follower already has what `source` asks for.
    pub(crate) fn is_same(follower: &Follower, source: &Source) -> bool {
        *follower.hub().key() == Key::of(source)
    }

    /// Forgets a stream that nobody follows any more.
    fn forget(&self, key: &Key, hub: *const Hub) {
        let mut hubs = self.lock();
        if hubs.get(key).is_some_and(|known| known.as_ptr() == hub) {
            hubs.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Weak<Hub>>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first who follows a stream.
fn first(hub: &Arc<Hub>) -> Follower {
    Hub::join(hub, Position::Beginning).expect("a stream remembers its beginning until somebody follows it")
}

/// The cursor of an event, as its source wrote it.
pub(crate) type Cursor = Value;
