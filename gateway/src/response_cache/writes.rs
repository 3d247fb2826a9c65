//! Who has changed what through this process, so that nobody gets what is older than their own change.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_types::{Caller, OrgId, Subject};
use rustc_hash::FxHashMap;

use super::entry::{Begun, Entry};
use crate::engine::SharingScope;

/// How many changes are told apart. With more, the older ones count for everybody.
const TOLD_APART: usize = 20_000;

/// By how much the clocks of processes that share a Redis may differ.
const SKEW: TimeDelta = TimeDelta::seconds(2);

/// The changes of callers.
pub(super) struct Writes {
    count: AtomicU64,
    last: Mutex<Last>,
    /// How long the longest kept answer could need to know of a change.
    longest: TimeDelta,
}

/// The last change by each, of each subgraph.
#[derive(Default)]
struct Last {
    of: FxHashMap<(Writer, Arc<str>), Write>,
    /// One that counts for everybody, in every subgraph.
    anybody: Option<Write>,
}

/// A change.
#[derive(Debug, Clone, Copy)]
struct Write {
    number: u64,
    at: DateTime<Utc>,
}

/// Who made a change, or in whose data.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Writer {
    Subject(Subject),
    /// Somebody whom another issuer knows by this name.
    Known(String, String),
    Tenant(OrgId),
}

impl Writer {
    fn of(caller: &Caller) -> Self {
        match &caller.identity {
            Some(identity) if caller.subject == Subject::External => {
                Self::Known(identity.issuer.clone(), identity.subject.clone())
            }
            _ => Self::Subject(caller.subject),
        }
    }
}

impl Write {
    /// Whether what was read from this moment on has missed it.
    fn is_behind(self, begun: &Begun) -> bool {
        begun.writes.map_or(begun.at <= self.at + SKEW, |writes| writes < self.number)
    }
}

impl Writes {
    pub(super) fn new(longest: Duration) -> Self {
        let longest = TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX / 4);
        Self { count: AtomicU64::new(0), last: Mutex::default(), longest }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count.load(Ordering::Acquire)
    }

    /// Takes in a change that is over.
    pub(super) fn record(&self, caller: &Caller, subgraphs: &[Arc<str>], at: DateTime<Utc>) {
        let mut last = self.lock();
        let write = Write { number: self.count.fetch_add(1, Ordering::AcqRel) + 1, at };
        let writers = [Some(Writer::of(caller)), caller.org.map(Writer::Tenant)];
        for writer in writers.into_iter().flatten() {
            for subgraph in subgraphs {
                last.of.insert((writer.clone(), Arc::clone(subgraph)), write);
            }
        }
        if last.of.len() > TOLD_APART {
            last.forget(at - self.longest, write);
        }
    }

    /// Whether an answer is older than a change that counts for a caller: one of their own, and for what is shared in a
    /// tenant one of anybody there, unless each change of what the answer was made of ends it.
    pub(super) fn outdate(&self, entry: &Entry, caller: &Caller) -> bool {
        if self.count() == 0 {
            return false;
        }
        let begun = &entry.kept.begun;
        let is_by_tenant = entry.tracking.is_none() && entry.kept.scope == SharingScope::Tenant;
        let tenant = caller.org.filter(|_| is_by_tenant).map(Writer::Tenant);
        let last = self.lock();
        last.anybody.is_some_and(|write| write.is_behind(begun))
            || [Some(Writer::of(caller)), tenant].into_iter().flatten().any(|writer| {
                entry.subgraphs.iter().any(|subgraph| {
                    let write = last.of.get(&(writer.clone(), Arc::clone(subgraph)));
                    write.is_some_and(|write| write.is_behind(begun))
                })
            })
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Last {
    /// Forgets what no kept answer is old enough for, and if that is too little, tells nobody apart any more.
    fn forget(&mut self, before: DateTime<Utc>, newest: Write) {
        self.of.retain(|_, write| write.at + SKEW > before);
        if self.of.len() > TOLD_APART / 2 {
            self.of.clear();
            self.anybody = Some(newest);
        }
    }
}
