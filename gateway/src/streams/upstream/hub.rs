//! One stream from a subgraph and everybody who follows it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use metrics::gauge;
use tokio::sync::SetOnce;
use tokio_util::task::AbortOnDropHandle;

use super::follower::Follower;
use super::key::Key;
use super::pump::Pump;
use super::{Bounds, Cursor, Upstreams};
use crate::engine::{Asked, ExecutionResult, Source};
use crate::ports::{SubgraphFault, SubgraphResponse};
use crate::streams::queue::{self, Refused, queue};

/// For how long a stream remembers how it began, for those who move to it one after the other.
const REMEMBERED_FOR: Duration = Duration::from_secs(30);

/// An event, numbered from one within its stream.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) told: Arc<Told>,
}

/// What followers of one stream are told, and what the first of them made of it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) response: SubgraphResponse,
    /// Where answers depend on the event alone, those who asked the same need not write it once more each.
    answer: OnceLock<(Asked, ExecutionResult)>,
}

impl Told {
    /// The answer to what was asked, when it was written already.
    pub(crate) fn answer(&self, asked: &Asked) -> Option<ExecutionResult> {
        self.answer.get().filter(|(known, _)| known == asked).map(|(_, answer)| answer.clone())
    }

    /// Keeps an answer for the others. The first one is kept: mostly all ask the same.
    pub(crate) fn answered(&self, asked: Asked, answer: &ExecutionResult) {
        self.answer.get_or_init(|| (asked, answer.clone()));
    }
}

/// Where a follower begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// With the next event.
    Now,
    /// With the first event.
    Beginning,
}

/// What to open.
pub(super) struct Opening {
    pub(super) key: Key,
    pub(super) source: Source,
    /// Behind which event.
    pub(super) after: Option<Cursor>,
    /// Whether others may follow it from its beginning.
    pub(super) remembers: bool,
}

/// One stream. It is closed when its last follower lets go of it.
pub(super) struct Hub {
    key: Key,
    bounds: Bounds,
    state: Mutex<State>,
    opened: SetOnce<Result<(), SubgraphFault>>,
    upstreams: Weak<Upstreams>,
    task: OnceLock<AbortOnDropHandle<()>>,
}

struct State {
    followers: HashMap<u64, queue::Sender<Event>>,
    joined: u64,
    /// How many events there were.
    count: u64,
    /// Of the last event, or where it began.
    cursor: Option<Cursor>,
    /// All events so far, as long as they are remembered.
    history: Option<VecDeque<Event>>,
    /// Whether others than the first follower may have to hear it from its beginning.
    remembers: bool,
    began: Instant,
    /// How it ended, when it did: on its own, or by a fault.
    ended: Option<Result<(), SubgraphFault>>,
    /// The streams that replace it, with the number of the last event before them.
    successors: Vec<(Key, Weak<Hub>, Option<u64>)>,
}

impl Hub {
    /// Opens a stream.
    pub(super) fn open(opening: Opening, bounds: Bounds, upstreams: Weak<Upstreams>) -> Arc<Self> {
        let Opening { key, source, after, remembers } = opening;
        gauge!("pulse_gateway_upstreams").increment(1.0);
        let state = State {
            followers: HashMap::new(),
            joined: 0,
            count: 0,
            cursor: after.clone().or_else(|| source.begins_after.clone().filter(|cursor| !cursor.is_null())),
            history: Some(VecDeque::new()),
            remembers,
            began: Instant::now(),
            ended: None,
            successors: Vec::new(),
        };
        let (state, opened, task) = (Mutex::new(state), SetOnce::new(), OnceLock::new());
        let hub = Arc::new(Self { key, bounds, state, opened, upstreams, task });
        let pump = Box::new(Pump::new(Arc::downgrade(&hub), source, after, bounds));
        let task = AbortOnDropHandle::new(tokio::spawn(pump.run()));
        drop(hub.task.set(task));
        hub
    }

    /// A new follower; `None` when the stream is over, or no longer knows what the follower would have to hear.
    pub(super) fn join(hub: &Arc<Self>, position: Position) -> Option<Follower> {
        let mut state = hub.lock();
        let missed = match position {
            Position::Beginning => state.history.clone()?,
            // What is over is of interest to those alone who follow it from its beginning.
            Position::Now if state.ended.is_some() => return None,
            Position::Now => VecDeque::new(),
        };
        let (sender, events) = queue(hub.bounds.buffered);
        state.joined += 1;
        let id = state.joined;
        if state.ended.is_none() {
            state.followers.insert(id, sender);
        }
        drop(state);
        Some(Follower::new(Arc::clone(hub), id, missed, events))
    }

    pub(super) fn leave(&self, id: u64) {
        self.lock().followers.remove(&id);
    }

    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// Returns when it is open, or cannot be opened.
    pub(super) async fn opened(&self) -> Result<(), SubgraphFault> {
        self.opened.wait().await.clone()
    }

    /// How it ended, when it did.
    pub(super) fn ended(&self) -> Option<Result<(), SubgraphFault>> {
        self.lock().ended.clone()
    }

    pub(super) fn newest(&self) -> u64 {
        self.lock().count
    }

    /// Where it is: its last cursor, and the number of the event that had it.
    pub(super) fn place(&self) -> (Option<Cursor>, Option<u64>) {
        let state = self.lock();
        (state.cursor.clone(), state.cursor.is_some().then_some(state.count))
    }

    /// The stream that replaces this one for all who want `key`, and the number of this one's last event before it.
    pub(super) fn successor(
        &self,
        key: &Key,
        open: impl FnOnce(Option<Cursor>) -> Arc<Self>,
    ) -> (Arc<Self>, Option<u64>) {
        let mut state = self.lock();
        state.successors.retain(|(_, hub, _)| hub.strong_count() > 0);
        let known = state.successors.iter().find(|(known, ..)| known == key);
        if let Some((hub, joint)) = known.and_then(|(_, hub, joint)| Some((hub.upgrade()?, *joint))) {
            // One that could not be opened is tried again.
            if !hub.has_failed() {
                return (hub, joint);
            }
        }
        let joint = state.cursor.is_some().then_some(state.count);
        let hub = open(state.cursor.clone());
        state.successors.retain(|(known, ..)| known != key);
        state.successors.push((key.clone(), Arc::downgrade(&hub), joint));
        (hub, joint)
    }

    fn has_failed(&self) -> bool {
        matches!(self.opened.get(), Some(Err(_)))
    }

    pub(super) fn tell_opened(&self, outcome: Result<(), SubgraphFault>) {
        // What was told first is what happened.
        let _ = self.opened.set(outcome);
    }

    /// Ends it for everybody: on its own, or by a fault. They hear what waits for them first.
    pub(super) fn end(&self, fault: Option<SubgraphFault>) {
        let mut state = self.lock();
        state.ended.get_or_insert(fault.map_or(Ok(()), Err));
        state.followers.clear();
    }

    /// Hands an event to everybody. A follower that has no room for it is let go; when it is the only one, the stream
    /// waits for it, since nobody else is kept waiting by that.
    pub(super) async fn deliver(&self, response: SubgraphResponse) {
        let Some((id, sender, event)) = self.hand_out(response) else { return };
        if tokio::time::timeout(self.bounds.patience, sender.send(event)).await.is_err() {
            self.leave(id);
        }
    }

    /// Returns the follower that is to be waited for.
    fn hand_out(&self, response: SubgraphResponse) -> Option<(u64, queue::Sender<Event>, Event)> {
        let mut state = self.lock();
        state.count += 1;
        let told = Arc::new(Told { response, answer: OnceLock::new() });
        let event = Event { number: state.count, told };
        if let Some(cursor) = event.told.response.cursor() {
            state.cursor = Some(cursor.clone());
        }
        state.remember(&event, self.bounds.buffered);
        if state.followers.len() == 1 {
            let (id, sender) = state.followers.iter().next().expect("there is one");
            return match sender.try_send(event) {
                Err(Refused::Full(event)) => Some((*id, sender.clone(), event)),
                Ok(()) | Err(Refused::Closed) => None,
            };
        }
        state.followers.retain(|_, sender| sender.try_send(event.clone()).is_ok());
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remember(&mut self, event: &Event, limit: usize) {
        let Some(history) = &mut self.history else { return };
        let unneeded = !self.remembers && !self.followers.is_empty();
        if unneeded || history.len() >= limit || self.began.elapsed() > REMEMBERED_FOR {
            self.history = None;
        } else {
            history.push_back(event.clone());
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        gauge!("pulse_gateway_upstreams").decrement(1.0);
        if let Some(upstreams) = self.upstreams.upgrade() {
            upstreams.forget(&self.key, self);
        }
    }
}
