//! One kept answer, and why one cannot be used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use chrono::{DateTime, Utc};
use http::HeaderValue;

use crate::changes::{Position, Reads, Watch, Watcher, Why};
use crate::engine::{Cost, SharingScope};

/// A moment before something was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) at: DateTime<Utc>,
    /// How many changes callers of this process had made by then; `None` for what another process has read.
    pub(crate) writes: Option<u64>,
    /// What was heard of changes by then.
    pub(crate) heard: Option<Position>,
    /// Up to where in their log, when that is known.
    pub(crate) log: Option<i64>,
}

impl Begun {
    /// The earlier of two.
    pub(crate) fn earlier(self, other: Self) -> Self {
        Self {
            at: self.at.min(other.at),
            writes: self.writes.min(other.writes),
            heard: self.heard.min(other.heard),
            log: self.log.min(other.log),
        }
    }
}

/// For how long something that was read is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) begun: Begun,
    /// Until when, whatever is known of what it was made of.
    pub(crate) until: DateTime<Utc>,
    /// Until when at most, where each change of what it was made of ends it. Not earlier.
    pub(crate) tracked_until: DateTime<Utc>,
    pub(crate) scope: SharingScope,
}

impl Kept {
    /// As long as both.
    pub(crate) fn narrowed(self, other: Self) -> Self {
        Self {
            begun: self.begun.earlier(other.begun),
            until: self.until.min(other.until),
            tracked_until: self.tracked_until.min(other.tracked_until),
            scope: self.scope.min(other.scope),
        }
    }
}

/// A kept answer.
pub(crate) struct Entry {
    pub(crate) body: Bytes,
    /// When it was made; what it was made of may be older.
    pub(crate) made: DateTime<Utc>,
    pub(crate) kept: Kept,
    /// The `Cache-Control` of the answer, as far as it does not depend on who asks.
    pub(crate) told: Option<HeaderValue>,
    /// What it cost to make, where costs are counted.
    pub(crate) cost: Option<Cost>,
    /// Who gave parts of it.
    pub(crate) subgraphs: Arc<[Arc<str>]>,
    /// What it was made of, where each change of that ends it.
    pub(crate) tracking: Option<Arc<Tracking>>,
}

/// What ends an answer.
pub(crate) struct Tracking {
    pub(crate) reads: Arc<Reads>,
    pub(super) ended: Arc<Ended>,
    pub(super) _watch: Watch,
}

/// Whether something that an answer was made of has changed.
#[derive(Debug, Default)]
pub(super) struct Ended(AtomicBool);

impl Watcher for Ended {
    fn concerned(&self, _: Why) {
        self.0.store(true, Ordering::Release);
    }

    fn is_first(&self) -> bool {
        true
    }
}

/// Why a kept answer is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    /// There is none.
    Absent,
    /// Its time is over.
    Expired,
    /// Something that it was made of has changed.
    Changed,
    /// The caller has changed something since.
    OwnWrite,
    /// The client wants none.
    Refused,
}

impl Miss {
    /// The word in metrics and in the log.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Expired => "expired",
            Self::Changed => "changed",
            Self::OwnWrite => "own_write",
            Self::Refused => "refused",
        }
    }
}

impl Entry {
    /// Until when it is kept.
    pub(super) fn until(&self) -> DateTime<Utc> {
        if self.tracking.is_some() { self.kept.tracked_until } else { self.kept.until }
    }

    /// Whether it is over for everybody, and why.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> Option<Miss> {
        if self.tracking.as_ref().is_some_and(|tracking| tracking.ended.0.load(Ordering::Acquire)) {
            Some(Miss::Changed)
        } else if now >= self.until() {
            Some(Miss::Expired)
        } else {
            None
        }
    }

    /// How many seconds ago it was made.
    pub(crate) fn age(&self, now: DateTime<Utc>) -> u64 {
        u64::try_from((now - self.made).num_seconds()).unwrap_or(0)
    }

    /// How much memory it takes, about.
    pub(super) fn size(&self) -> usize {
        let tags = self.tracking.as_ref().map_or(0, |tracking| tracking.reads.len());
        self.body.len() + 256 + 64 * tags
    }
}
