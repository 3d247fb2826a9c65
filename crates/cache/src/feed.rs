//! What was heard of changes, and which of what is kept they concern.
//!
//! Everything that is heard has a number, in the order in which this process heard it. What was read is kept only if
//! nothing that concerns it has come since before it was read; so a read that is overtaken by a change never stays. What
//! comes from Redis says up to which position of the log it is true, and is checked against what was heard behind that.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_types::{Change, ChangeKind};
use rustc_hash::FxHashMap;
use uuid::Uuid;

use crate::entry::{Content, Entry};
use crate::index::{Id, Index};
use crate::key::Place;
use crate::reads::Reads;
use crate::statistics::Miss;

/// How many of the last changes are kept, for what is being read while they come.
const REMEMBERED: usize = 10_000;

/// How many changes something from Redis is checked against at most.
pub(crate) const CHECKED: i64 = 4_096;

/// How many changes of this process something from Redis is checked against. While more wait to be heard of, nothing is
/// taken from there.
const PENDING: usize = 10_000;

/// How long a change is waited for of which nobody knows whether it was committed.
const UNCERTAIN_FOR: TimeDelta = TimeDelta::minutes(1);

/// A moment in what was heard. What is read behind it, and kept, is checked against all that came since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(Option<u64>);

impl Mark {
    /// No moment: what is read behind it is not kept.
    pub const NEVER: Self = Self(None);
}

/// Whether a change of this process was committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    /// It was.
    Committed,
    /// It may have been, or may be in a moment: nobody waited for the answer, or there was none.
    Unknown,
}

/// One change that was heard.
#[derive(Debug)]
struct Taken {
    /// Its place in the log; `None` for one of this process that is not there yet.
    position: Option<i64>,
    change: Arc<Change>,
    /// What this process has kept knows of it already: it was heard when it was committed.
    known: bool,
}

/// One change of this process that did not come out of the log yet.
#[derive(Debug)]
struct Pending {
    change: Arc<Change>,
    /// Until when it is waited for, when it may never come.
    until: Option<DateTime<Utc>>,
}

/// Tells one change from another: the request and what it did to what.
type ChangeId = (Option<Uuid>, Arc<str>, Uuid, i64, ChangeKind);

/// All that was heard, and all that is kept.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    /// Up to which position of the log everything was heard; `None` while nobody tells.
    heard: Option<i64>,
    number: u64,
    recent: VecDeque<Taken>,
    /// All changes of the log behind this position are among the recent ones.
    complete_since: i64,
    /// One write may tell of several changes that only their attributes tell apart.
    pending: FxHashMap<ChangeId, Vec<Pending>>,
    index: Index,
    kept: FxHashMap<Id, (Place, Arc<Entry>)>,
    ids: Id,
}

/// What is no longer kept.
pub(crate) type Ended = Vec<(Place, Arc<Entry>)>;

impl Feed {
    /// Begins to hear of what comes behind `position`.
    pub(crate) fn begin(&mut self, position: i64) -> Ended {
        if self.heard.is_some_and(|heard| heard >= position) {
            return Vec::new();
        }
        // What came between was not heard of.
        let ended = self.gap();
        self.heard = Some(position);
        self.complete_since = position;
        ended
    }

    /// Nothing is heard any more.
    pub(crate) fn end(&mut self) -> Ended {
        self.heard = None;
        self.forget()
    }

    pub(crate) const fn heard(&self) -> Option<i64> {
        self.heard
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.heard.map(|_| self.number))
    }

    /// Takes in the next change of the log: what it ends, and why.
    pub(crate) fn take(&mut self, change: &Arc<Change>) -> (Ended, Miss) {
        let position = change.position;
        let Some(heard) = self.heard.filter(|heard| position > *heard) else {
            return (Vec::new(), Miss::Invalidated);
        };
        // Positions are dense: what is not heard before its successor was missed.
        let is_gap = position > heard + 1 && self.complete_since <= heard;
        let mut ended = if is_gap { self.gap() } else { Vec::new() };
        if self.complete_since == i64::MAX {
            self.complete_since = position - 1;
        }
        let known = self.is_known(change);
        self.heard = Some(position);
        self.remember(Some(position), Arc::clone(change), known);
        if !known {
            ended.extend(self.end_concerned(change));
        }
        (ended, if is_gap { Miss::Gap } else { Miss::Invalidated })
    }

    /// Whether this process has committed the change, for sure, and it was heard then. It is not waited for any more.
    fn is_known(&mut self, change: &Change) -> bool {
        let id = change_id(change);
        let Some(same) = self.pending.get_mut(&id) else { return false };
        let is_this = |pending: &Pending| pending.change.attributes == change.attributes;
        let found = same.iter().position(is_this);
        // What the database writes differently is another one to this comparison, and still the one that was waited for.
        let pending = same.swap_remove(found.unwrap_or(0));
        if same.is_empty() {
            self.pending.remove(&id);
        }
        found.is_some() && pending.until.is_none()
    }

    /// Takes in changes of this process in the moment of their commit, before the log has them.
    pub(crate) fn take_own(
        &mut self,
        changes: impl IntoIterator<Item = Change>,
        certainty: Certainty,
        now: DateTime<Utc>,
    ) -> Ended {
        if self.heard.is_none() {
            return Vec::new();
        }
        self.pending.retain(|_, same| {
            same.retain(|pending| pending.until.is_none_or(|until| until > now));
            !same.is_empty()
        });
        let until = match certainty {
            Certainty::Committed => None,
            Certainty::Unknown => Some(now + UNCERTAIN_FOR),
        };
        let mut ended = Vec::new();
        for change in changes.into_iter().map(Arc::new) {
            let same = self.pending.entry(change_id(&change)).or_default();
            same.push(Pending { change: Arc::clone(&change), until });
            self.remember(None, Arc::clone(&change), false);
            ended.extend(self.end_concerned(&change));
        }
        ended
    }

    /// Changes were missed.
    pub(crate) fn gap(&mut self) -> Ended {
        self.number += 1;
        self.recent.clear();
        // Where what was missed ends, the next change says.
        self.complete_since = i64::MAX;
        self.forget()
    }

    fn forget(&mut self) -> Ended {
        self.index = Index::default();
        let ended: Ended = std::mem::take(&mut self.kept).into_values().collect();
        ended.into_iter().filter(|(_, entry)| entry.end()).collect()
    }

    fn remember(&mut self, position: Option<i64>, change: Arc<Change>, known: bool) {
        self.number += 1;
        self.recent.push_back(Taken { position, change, known });
        if self.recent.len() > REMEMBERED
            && let Some(Taken { position: Some(position), .. }) = self.recent.pop_front()
        {
            self.complete_since = self.complete_since.max(position);
        }
    }

    fn end_concerned(&mut self, change: &Change) -> Ended {
        let mut ended = Vec::new();
        for id in self.index.concerned(change) {
            self.index.remove(id);
            if let Some((place, entry)) = self.kept.remove(&id)
                && entry.end()
            {
                ended.push((place, entry));
            }
        }
        ended
    }

    /// Keeps what was read behind `mark`, with the position up to which it is true. The error says why it may be old.
    pub(crate) fn keep(
        &mut self,
        mark: Mark,
        place: &Place,
        content: Content,
    ) -> Result<(Arc<Entry>, i64), Miss> {
        let (Mark(Some(mark)), Some(heard)) = (mark, self.heard) else { return Err(Miss::NotFollowing) };
        let reads = reads(&content);
        let tenant = place.key.tenant();
        let missed = usize::try_from(self.number.saturating_sub(mark)).unwrap_or(usize::MAX);
        let Some(known) = self.recent.len().checked_sub(missed) else { return Err(Miss::Gap) };
        let mut since = self.recent.iter().skip(known).filter(|taken| !taken.known);
        if since.any(|taken| reads.concern(tenant, &taken.change)) {
            return Err(Miss::Invalidated);
        }
        Ok((self.insert(place, content, reads, heard), heard))
    }

    /// Keeps what comes from Redis and is true up to `position`. The error says why it may be old.
    pub(crate) fn adopt(
        &mut self,
        position: i64,
        place: &Place,
        content: Content,
    ) -> Result<Arc<Entry>, Miss> {
        let Some(heard) = self.heard else { return Err(Miss::NotFollowing) };
        if position < self.complete_since || heard - position > CHECKED || self.pending.len() > PENDING {
            return Err(Miss::Gap);
        }
        let reads = reads(&content);
        let tenant = place.key.tenant();
        let behind =
            self.recent.iter().rev().take_while(|taken| taken.position.is_none_or(|at| at > position));
        let mut logged = behind.filter(|taken| taken.position.is_some());
        let mut pending = self.pending.values().flatten();
        if logged.any(|taken| reads.concern(tenant, &taken.change))
            || pending.any(|pending| reads.concern(tenant, &pending.change))
        {
            return Err(Miss::Invalidated);
        }
        Ok(self.insert(place, content, reads, position))
    }

    fn insert(&mut self, place: &Place, content: Content, reads: Reads, stamp: i64) -> Arc<Entry> {
        self.ids += 1;
        let id = self.ids;
        self.index.insert(id, place.key.tenant(), Arc::new(reads));
        let entry = Arc::new(Entry::new(id, content, stamp));
        self.kept.insert(id, (place.clone(), Arc::clone(&entry)));
        entry
    }

    /// Lets go of an entry for which there is no room or no time any more.
    pub(crate) fn leave(&mut self, id: Id) {
        self.index.remove(id);
        self.kept.remove(&id);
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }
}

fn reads(content: &Content) -> Reads {
    let mut reads = Reads::new(content.tags.len().max(1));
    content.tags.iter().cloned().for_each(|tag| reads.add(tag));
    reads
}

fn change_id(change: &Change) -> ChangeId {
    (change.request, Arc::clone(&change.subject), change.key, change.version, change.kind)
}
