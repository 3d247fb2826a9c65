//! Those who want to know of changes, and the changes that came lately: between reading and watching none is missed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;
use metrics::{counter, gauge};
use pulse_cache::{Id, Index, Reads};
use pulse_types::{Change, OrgId};
use rustc_hash::FxHashMap;

use crate::ports::Heard;

/// How many of the last changes are kept for those who begin to watch. An answer that took longer than these counts as
/// concerned.
const REMEMBERED: usize = 10_000;

/// A place in what was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position(u64);

/// Why an answer may be another one now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// Something that it was made of has changed.
    Changed,
    /// Changes were missed.
    Gap,
    /// Nothing is heard of changes any more.
    Deaf,
}

/// Who wants to know.
pub(crate) trait Watcher: Send + Sync {
    /// Called for each change that concerns what is watched.
    fn concerned(&self, why: Why);

    /// Whether it is called before all others: what is kept has to be over by the time somebody reads it again.
    fn is_first(&self) -> bool {
        false
    }
}

/// All changes that are heard, and all who watch for some.
#[derive(Default)]
pub(crate) struct Changes {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    index: Index,
    watchers: FxHashMap<Id, Arc<dyn Watcher>>,
    recent: VecDeque<Arc<Change>>,
    /// How many changes and gaps there were.
    heard: u64,
    /// How many watches there were.
    watched: Id,
    is_deaf: bool,
    /// Up to where in the log changes were heard; `None` before the first one, and behind a gap.
    log: Option<i64>,
    /// All changes behind this place in the log are among the recent ones.
    known_since: Option<i64>,
}

/// Watches until it is dropped.
pub(crate) struct Watch {
    changes: Arc<Changes>,
    id: Id,
}

impl Changes {
    /// Takes in what the feed tells, until it ends.
    pub(crate) async fn follow(self: Arc<Self>, mut feed: BoxStream<'static, Heard>) {
        while let Some(heard) = feed.next().await {
            match heard {
                Heard::Change(change) => self.take(change),
                Heard::Gap => self.miss(Why::Gap),
            }
        }
        self.miss(Why::Deaf);
        tracing::error!("the feed of changes ended; no answer is kept or repeated from now on");
    }

    /// Where the feed is now. Whoever reads behind this and watches from here misses nothing.
    pub(crate) fn position(&self) -> Position {
        Position(self.lock().heard)
    }

    /// Watches for what concerns an answer that was read behind `since` by somebody in `tenant`. The error says why it may
    /// be another one already.
    pub(crate) fn watch(
        self: &Arc<Self>,
        since: Position,
        (tenant, reads): (Option<OrgId>, Arc<Reads>),
        watcher: Arc<dyn Watcher>,
    ) -> Result<Watch, Why> {
        let mut state = self.lock();
        state.since(since, |change| reads.concern(tenant, change))?;
        state.watched += 1;
        let id = state.watched;
        state.index.insert(id, tenant, reads);
        state.watchers.insert(id, watcher);
        drop(state);
        gauge!("pulse_gateway_watched_answers").increment(1.0);
        Ok(Watch { changes: Arc::clone(self), id })
    }

    /// Up to where in the log changes were heard, when that is known.
    pub(crate) fn log_position(&self) -> Option<i64> {
        self.lock().log
    }

    /// The same for an answer that another process has read when it had heard the log up to `position`.
    pub(crate) fn watch_behind(
        self: &Arc<Self>,
        position: i64,
        of: (Option<OrgId>, Arc<Reads>),
        watcher: Arc<dyn Watcher>,
    ) -> Result<Watch, Why> {
        let since = self.lock().place_of(position).ok_or(Why::Gap)?;
        self.watch(since, of, watcher)
    }

    fn take(&self, change: Arc<Change>) {
        counter!("pulse_gateway_changes_total").increment(1);
        let mut state = self.lock();
        let concerned = state.index.concerned(&change);
        let watchers = concerned.iter().filter_map(|id| state.watchers.get(id).map(Arc::clone)).collect();
        state.heard += 1;
        state.log = Some(change.position);
        state.known_since.get_or_insert(change.position - 1);
        state.recent.push_back(change);
        if state.recent.len() > REMEMBERED {
            state.known_since = state.recent.pop_front().map(|oldest| oldest.position);
        }
        // A watcher may let go of its watch.
        drop(state);
        tell(watchers, Why::Changed);
    }

    fn miss(&self, why: Why) {
        counter!("pulse_gateway_change_gaps_total").increment(1);
        let mut state = self.lock();
        state.heard += 1;
        state.recent.clear();
        (state.log, state.known_since) = (None, None);
        state.is_deaf |= why == Why::Deaf;
        let watchers = state.watchers.values().map(Arc::clone).collect();
        drop(state);
        tell(watchers, why);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(mut watchers: Vec<Arc<dyn Watcher>>, why: Why) {
    watchers.sort_by_key(|watcher| !watcher.is_first());
    for watcher in watchers {
        watcher.concerned(why);
    }
}

impl State {
    /// The place behind which everything was heard that lies behind a position of the log.
    fn place_of(&self, position: i64) -> Option<Position> {
        self.known_since.filter(|since| *since <= position)?;
        let behind = self.recent.iter().rev().take_while(|change| change.position > position).count();
        Some(Position(self.heard - u64::try_from(behind).unwrap_or(u64::MAX).min(self.heard)))
    }

    /// Why what is true of one of the changes since a position may be so of an answer; nothing when it is true of none.
    fn since(&self, Position(since): Position, concerns: impl Fn(&Change) -> bool) -> Result<(), Why> {
        if self.is_deaf {
            return Err(Why::Deaf);
        }
        let missed = usize::try_from(self.heard.saturating_sub(since)).unwrap_or(usize::MAX);
        let Some(known) = self.recent.len().checked_sub(missed) else { return Err(Why::Gap) };
        if self.recent.iter().skip(known).any(|change| concerns(change)) { Err(Why::Changed) } else { Ok(()) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.changes.lock();
        state.index.remove(self.id);
        let watcher = state.watchers.remove(&self.id);
        drop(state);
        gauge!("pulse_gateway_watched_answers").decrement(1.0);
        drop(watcher);
    }
}
