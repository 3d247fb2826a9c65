//! What an answer was made of, as those who gave its parts say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pulse_types::{Change, OrgId, Tag, Tagged};
use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;

/// The attributes of a list.
pub(crate) type Attributes = BTreeMap<String, String>;

/// What an answer was made of.
#[derive(Debug, Clone)]
pub struct Reads {
    subjects: FxHashMap<String, Of>,
    /// How many tags there are.
    count: usize,
    /// How many are told apart.
    limit: usize,
    untracked: Vec<Arc<str>>,
    is_partial: bool,
}

/// What of a subject.
#[derive(Debug, Clone)]
pub(crate) enum Of {
    /// Any of it.
    All,
    /// Some rows, and lists of what has certain attributes, of which each has at least one.
    Some { rows: FxHashSet<Uuid>, lists: BTreeSet<Attributes> },
}

impl Reads {
    /// Nothing so far. Of more tags than `limit` only the subjects are kept.
    pub fn new(limit: usize) -> Self {
        let subjects = FxHashMap::default();
        Self { subjects, count: 0, limit: limit.max(1), untracked: Vec::new(), is_partial: false }
    }

    /// A part is missing because its subgraph gave no answer: what it would have been made of, nobody knows.
    pub const fn add_missing(&mut self) {
        self.is_partial = true;
    }

    /// A part came from a subgraph that does not say what it was made of.
    pub fn add_untracked(&mut self, subgraph: &Arc<str>) {
        if !self.untracked.contains(subgraph) {
            self.untracked.push(Arc::clone(subgraph));
        }
    }

    /// Adds one tag.
    pub fn add(&mut self, Tag { subject, of }: Tag) {
        let nothing = || Of::Some { rows: FxHashSet::default(), lists: BTreeSet::new() };
        let known = self.subjects.entry(subject.into_owned()).or_insert_with(nothing);
        let Of::Some { rows, lists } = known else { return };
        let is_new = match of {
            Tagged::Key(key) => rows.insert(key),
            Tagged::Where(attributes) if attributes.is_empty() => {
                self.count -= (rows.len() + lists.len()).min(self.count);
                *known = Of::All;
                true
            }
            Tagged::Where(attributes) => {
                lists.insert(attributes.into_iter().map(|(name, value)| (name.into_owned(), value)).collect())
            }
        };
        self.count += usize::from(is_new);
        if self.count > self.limit {
            self.forget_details();
        }
    }

    fn forget_details(&mut self) {
        self.subjects.values_mut().for_each(|of| *of = Of::All);
        self.count = self.subjects.len();
        if self.count > self.limit {
            self.subjects = FxHashMap::default();
            self.count = 0;
            self.is_partial = true;
        }
    }

    /// Adds all that another answer was made of.
    pub fn merge(&mut self, other: &Self) {
        for tag in other.tags() {
            self.add(tag);
        }
        other.untracked.iter().for_each(|subgraph| self.add_untracked(subgraph));
        self.is_partial |= other.is_partial;
    }

    /// Subgraphs that gave parts of the answer and do not say what these were made of.
    pub fn untracked(&self) -> &[Arc<str>] {
        &self.untracked
    }

    /// Whether a part is missing of which nobody knows what it would have been made of.
    pub const fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// How many tags there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether it was made of nothing that can change.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty() && !self.is_partial
    }

    /// The tags, in no order.
    pub fn tags(&self) -> impl Iterator<Item = Tag> {
        self.subjects.iter().flat_map(|(subject, of)| {
            let tag = move |of| Tag { subject: subject.clone().into(), of };
            let named = |(name, value): (&String, &String)| (name.clone().into(), value.clone());
            let list = move |list: &Attributes| tag(Tagged::Where(list.iter().map(named).collect()));
            match of {
                Of::All => vec![tag(Tagged::Where(BTreeMap::new()))],
                Of::Some { rows, lists } => {
                    rows.iter().map(|key| tag(Tagged::Key(*key))).chain(lists.iter().map(list)).collect()
                }
            }
        })
    }

    pub(crate) const fn subjects(&self) -> &FxHashMap<String, Of> {
        &self.subjects
    }

    /// Whether the answer that somebody in `tenant` got may be another one after `change`. A row is one and the same
    /// wherever it is; lists are those of the tenant, and change with what belongs to none, too. Of whom no tenant is
    /// known, everything is taken to concern them.
    pub fn concern(&self, tenant: Option<OrgId>, change: &Change) -> bool {
        let in_tenant = tenant.is_none() || change.tenant.is_none() || tenant == change.tenant;
        if self.is_partial && in_tenant {
            return true;
        }
        let has = |(name, value): (&String, &String)| change.has(name, value).unwrap_or(true);
        match self.subjects.get(&*change.subject) {
            None => false,
            Some(Of::All) => in_tenant,
            Some(Of::Some { rows, lists }) => {
                rows.contains(&change.key)
                    || (in_tenant && lists.iter().any(|attributes| attributes.iter().all(has)))
            }
        }
    }
}
