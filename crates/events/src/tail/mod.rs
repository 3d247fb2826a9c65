//! The end of the log in this process's memory, and those who follow it.
//!
//! One reader per process asks for what is new, whoever follows: a follower costs no statement. It is told of what it
//! wants alone, and when it cannot keep up, it reads again from where it stopped: nothing is skipped, and nothing is kept
//! for it but a place.

mod follow;
mod listeners;
mod reader;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::stream::{self, BoxStream, StreamExt};
use pulse_store::Store;
use pulse_types::{Change, OrgId};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

pub use follow::{Follow, FollowError};
pub use reader::TailReader;

use crate::{Log, LogCursor};
use listeners::{Listener, Listeners};

/// How many changes are kept in memory at most. Whoever comes back within that many needs no statement.
const REMEMBERED: usize = 20_000;

/// How long it is remembered when the log was how far.
const HORIZON: TimeDelta = TimeDelta::minutes(1);

/// And how closely.
const CLOSELY: TimeDelta = TimeDelta::milliseconds(50);

/// What a follower wants to hear of.
#[derive(Clone)]
pub struct Topic {
    /// Changes of this tenant; `None` for those that belong to none.
    pub tenant: Option<OrgId>,
    /// Of these subjects, `subgraph.type`.
    pub subjects: &'static [&'static str],
    /// And only those for which this is true. Asked for every change that the route leads to, so it must be quick.
    pub wanted: Wanted,
    /// By what it is found.
    pub route: Route,
}

/// By what a follower is found who does not want every change of its subjects. What the route does not lead to is not wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Any change leads there.
    All,
    /// Changes of one of these things.
    Keys(Vec<Uuid>),
    /// Changes whose attribute of this name is or was one of these, and those that do not say it.
    Attribute(&'static str, Vec<Box<str>>),
}

/// Whether a change is wanted.
pub type Wanted = Arc<dyn Fn(&Change) -> bool + Send + Sync>;

impl Topic {
    /// Every change of these subjects.
    pub fn new(tenant: Option<OrgId>, subjects: &'static [&'static str]) -> Self {
        Self { tenant, subjects, wanted: Arc::new(|_| true), route: Route::All }
    }

    /// Only those for which `wanted` is true.
    #[must_use]
    pub fn filter(self, wanted: impl Fn(&Change) -> bool + Send + Sync + 'static) -> Self {
        Self { wanted: Arc::new(wanted), ..self }
    }

    /// The same, found by this route.
    #[must_use]
    pub fn by(self, route: Route) -> Self {
        Self { route, ..self }
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic")
            .field("tenant", &self.tenant)
            .field("subjects", &self.subjects)
            .finish_non_exhaustive()
    }
}

/// What those hear who follow everything.
#[derive(Debug, Clone)]
pub enum Heard {
    /// A change.
    Change(Arc<Change>),
    /// Changes were missed: anything may have changed.
    Gap,
}

/// The end of one log. Cheap to clone.
#[derive(Clone)]
pub struct Tail {
    shared: Arc<Shared>,
}

struct Shared {
    log: Log,
    store: Store,
    /// The log's name, once it is known.
    name: OnceLock<Arc<str>>,
    state: Mutex<State>,
    /// The last position that everybody was told of; -1 until the end of the log was found.
    told: watch::Sender<i64>,
    /// When something was last heard of the log's end, be it that nothing is new.
    heard_at: Mutex<Instant>,
}

#[derive(Default)]
struct State {
    /// Changes without a gap between them, the last of which is the last that was read.
    remembered: VecDeque<Arc<Change>>,
    /// Everything up to here was read.
    position: i64,
    /// When the log was how far, from at least [`HORIZON`] ago on.
    places: VecDeque<(DateTime<Utc>, i64)>,
    listeners: Listeners,
}

impl Tail {
    /// The end of `store`'s log, and what has to run for it to move. If the store keeps answers, its cache hears of each
    /// change before anybody else does: whoever is told of a change never reads what was kept from before it.
    pub fn new(store: &Store) -> (Self, TailReader) {
        let shared = Arc::new(Shared {
            log: Log::new(store.clone()),
            store: store.clone(),
            name: OnceLock::new(),
            state: Mutex::default(),
            told: watch::Sender::new(-1),
            heard_at: Mutex::new(Instant::now()),
        });
        let tail = Self { shared };
        (tail.clone(), TailReader::new(tail))
    }

    /// Follows a topic from now on, or from behind `after`.
    pub fn follow(&self, topic: Topic, after: Option<LogCursor>) -> Follow {
        Follow::new(Arc::clone(&self.shared), topic, after)
    }

    /// Everything from now on, of all tenants: for caches and the like, which know what to do about a gap.
    pub fn everything(&self) -> BoxStream<'static, Heard> {
        let receiver = self.shared.lock().listeners.everything();
        let heard = stream::unfold(receiver, async |mut receiver| {
            let heard = match receiver.recv().await {
                Ok(change) => Heard::Change(change),
                Err(RecvError::Lagged(_)) => Heard::Gap,
                Err(RecvError::Closed) => return None,
            };
            Some((heard, receiver))
        });
        heard.boxed()
    }

    /// The last position of which everybody was told; waits for the end of the log to be found.
    pub async fn position(&self) -> i64 {
        let mut told = self.shared.told.subscribe();
        // The sender lives as long as `self`.
        told.wait_for(|position| *position >= 0).await.map_or(-1, |position| *position)
    }

    /// Up to `limit` changes after `position`, if they are in memory. `None` when some of them are not,
    /// or the end of the log was not found yet.
    pub fn remembered_after(&self, position: i64, limit: usize) -> Option<Vec<Arc<Change>>> {
        if *self.shared.told.borrow() < 0 {
            return None;
        }
        let state = self.shared.lock();
        let remembered = state.remembered_after(position)?;
        Some(remembered.take(limit).cloned().collect())
    }

    /// Returns once everybody was told of `position`.
    pub async fn reaches(&self, position: i64) {
        let mut told = self.shared.told.subscribe();
        let _ = told.wait_for(|told| *told >= position).await;
    }

    /// For how long nothing has been heard of the log's end. A process that reads it hears every five seconds that nothing is
    /// new; much more than that, and the log cannot be read.
    pub fn silent_for(&self) -> Duration {
        self.shared.heard_at.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// A place in this log that everybody had been told of by `time`, and that lies little before that; waits for the end of
    /// the log to be found. Whatever is read after `time` shows all that lies before it.
    pub async fn cursor_at(&self, time: DateTime<Utc>) -> LogCursor {
        let told = self.position().await;
        let state = self.shared.lock();
        let place = state.places.iter().rev().find(|(at, _)| *at <= time).or_else(|| state.places.front());
        let position = place.map_or(told, |(_, position)| *position);
        drop(state);
        self.cursor(position).expect("a log whose end was found has a name")
    }

    /// The cursor of a place in this log; `None` until the log was seen.
    pub fn cursor(&self, position: i64) -> Option<LogCursor> {
        self.shared.name.get().map(|name| LogCursor { log: name.to_string(), position })
    }
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tail").field("position", &*self.shared.told.borrow()).finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins at the log's end.
    fn begin(&self, name: &str, position: i64) {
        let _ = self.name.set(name.into());
        let mut state = self.lock();
        state.position = position;
        if let Some(cache) = self.store.cache() {
            cache.begin(name, position);
        }
        state.note(self.store.clock().now());
        drop(state);
        self.told.send_replace(position);
    }

    /// Takes what comes next in the log, if anything does, and tells those who want it.
    fn take(&self, changes: Vec<Change>) {
        *self.heard_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        let Some(last) = changes.last().map(|change| change.position) else { return };
        let mut state = self.lock();
        for change in changes {
            let change = Arc::new(change);
            if let Some(cache) = self.store.cache() {
                cache.take(&change);
            }
            state.listeners.tell(&change);
            state.position = change.position;
            state.remembered.push_back(change);
        }
        let surplus = state.remembered.len().saturating_sub(REMEMBERED);
        state.remembered.drain(..surplus);
        state.note(self.store.clock().now());
        drop(state);
        self.told.send_replace(last);
    }
}

impl State {
    /// The changes after `position` that are still in memory; `None` when some of them are not.
    fn remembered_after(&self, position: i64) -> Option<impl Iterator<Item = &Arc<Change>>> {
        let missing = self.position - position;
        let remembered = i64::try_from(self.remembered.len()).unwrap_or(i64::MAX);
        let skip = usize::try_from(remembered - missing).ok()?;
        Some(self.remembered.iter().skip(skip))
    }

    /// Remembers how far the log is at `now`, unless that was just done: what is remembered is the least that was told of.
    fn note(&mut self, now: DateTime<Utc>) {
        if self.places.back().is_some_and(|(at, _)| now - *at < CLOSELY) {
            return;
        }
        self.places.push_back((now, self.position));
        while self.places.get(1).is_some_and(|(at, _)| *at < now - HORIZON) {
            self.places.pop_front();
        }
    }

    fn listen(&mut self, topic: &Topic) -> Listener {
        self.listeners.add(topic)
    }
}
