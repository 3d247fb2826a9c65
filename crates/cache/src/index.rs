//! Finds the answers that a change may concern without looking at the others.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::sync::Arc;

use pulse_types::{Change, OrgId};
use rustc_hash::{FxHashMap, FxHashSet};
use serde_json::Value;
use uuid::Uuid;

use crate::reads::{Attributes, Of, Reads};

/// Names an answer.
pub type Id = u64;

type Ids = FxHashSet<Id>;
type Tenant = Option<OrgId>;

/// Answers by what they were made of.
#[derive(Debug, Default)]
pub struct Index {
    subjects: FxHashMap<String, OfSubject>,
    /// Those of which some is not known.
    partial: FxHashMap<Tenant, Ids>,
    answers: FxHashMap<Id, (Tenant, Arc<Reads>)>,
}

/// Those made of one subject.
#[derive(Debug, Default)]
struct OfSubject {
    rows: FxHashMap<Uuid, Ids>,
    all: FxHashMap<Tenant, Ids>,
    lists: FxHashMap<Tenant, Lists>,
}

/// Lists by one of their attributes: its name, then its value.
type Lists = FxHashMap<String, FxHashMap<String, Ids>>;

impl Index {
    /// Adds an answer that somebody in `tenant` got.
    pub fn insert(&mut self, id: Id, tenant: Tenant, reads: Arc<Reads>) {
        if reads.is_partial() {
            self.partial.entry(tenant).or_default().insert(id);
        }
        for (subject, of) in reads.subjects() {
            let found = match self.subjects.get_mut(subject) {
                Some(found) => found,
                None => self.subjects.entry(subject.clone()).or_default(),
            };
            match of {
                Of::All => drop(found.all.entry(tenant).or_default().insert(id)),
                Of::Some { rows, lists } => {
                    for row in rows {
                        found.rows.entry(*row).or_default().insert(id);
                    }
                    for (name, value) in lists.iter().filter_map(handle) {
                        let lists = found.lists.entry(tenant).or_default();
                        lists.entry(name.clone()).or_default().entry(value.clone()).or_default().insert(id);
                    }
                }
            }
        }
        self.answers.insert(id, (tenant, reads));
    }

    /// Forgets one.
    pub fn remove(&mut self, id: Id) {
        let Some((tenant, reads)) = self.answers.remove(&id) else { return };
        leave(&mut self.partial, &tenant, id);
        for (subject, of) in reads.subjects() {
            let Some(found) = self.subjects.get_mut(subject) else { continue };
            match of {
                Of::All => leave(&mut found.all, &tenant, id),
                Of::Some { rows, lists } => {
                    for row in rows {
                        leave(&mut found.rows, row, id);
                    }
                    for (name, value) in lists.iter().filter_map(handle) {
                        found.leave_list(tenant, (name, value), id);
                    }
                }
            }
            if found.is_empty() {
                self.subjects.remove(subject);
            }
        }
    }

    /// The answers that a change concerns, in the order of their numbers.
    pub fn concerned(&self, change: &Change) -> Vec<Id> {
        let mut likely = BTreeSet::new();
        of_tenants(&self.partial, change.tenant, |ids| likely.extend(ids));
        if let Some(found) = self.subjects.get(&*change.subject) {
            likely.extend(found.rows.get(&change.key).into_iter().flatten());
            of_tenants(&found.all, change.tenant, |ids| likely.extend(ids));
            of_tenants(&found.lists, change.tenant, |lists| gather(lists, change, &mut likely));
        }
        let concerned =
            |id: &Id| self.answers.get(id).is_some_and(|(tenant, reads)| reads.concern(*tenant, change));
        likely.into_iter().filter(concerned).collect()
    }

    /// Whether nothing is in it, and nothing was left behind.
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty() && self.partial.is_empty() && self.answers.is_empty()
    }
}

impl OfSubject {
    fn leave_list(&mut self, tenant: Tenant, (name, value): (&str, &str), id: Id) {
        let Some(lists) = self.lists.get_mut(&tenant) else { return };
        if let Some(values) = lists.get_mut(name) {
            if let Some(ids) = values.get_mut(value) {
                ids.remove(&id);
                if ids.is_empty() {
                    values.remove(value);
                }
            }
            if values.is_empty() {
                lists.remove(name);
            }
        }
        if lists.is_empty() {
            self.lists.remove(&tenant);
        }
    }

    fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.all.is_empty() && self.lists.is_empty()
    }
}

/// By which of its attributes a list is found.
fn handle(attributes: &Attributes) -> Option<(&String, &String)> {
    attributes.iter().next()
}

fn leave<K: Eq + Hash>(places: &mut FxHashMap<K, Ids>, place: &K, id: Id) {
    if let Some(ids) = places.get_mut(place) {
        ids.remove(&id);
        if ids.is_empty() {
            places.remove(place);
        }
    }
}

/// What there is for those whom a change in `tenant` may concern: its own, and those without one; everybody's, when the
/// change belongs to none.
fn of_tenants<'a, T>(places: &'a FxHashMap<Tenant, T>, tenant: Tenant, mut visit: impl FnMut(&'a T)) {
    match tenant {
        None => places.values().for_each(visit),
        Some(_) => [tenant, None].iter().filter_map(|tenant| places.get(tenant)).for_each(&mut visit),
    }
}

/// Those of the lists that may have what changed.
fn gather(lists: &Lists, change: &Change, likely: &mut BTreeSet<Id>) {
    for (name, values) in lists {
        match attribute_values(change, name) {
            Some(changed) => {
                likely.extend(changed.iter().filter_map(|value| values.get(&**value)).flatten());
            }
            None => likely.extend(values.values().flatten()),
        }
    }
}

/// What an attribute is or was, as text; `None` where the change does not say.
fn attribute_values<'c>(change: &'c Change, name: &str) -> Option<Vec<Cow<'c, str>>> {
    let (now, before) = (change.attributes.get(name), change.before.get(name));
    let mut texts = Vec::new();
    [now, before].into_iter().flatten().for_each(|value| add_texts(value, &mut texts));
    (now.is_some() || before.is_some()).then_some(texts)
}

fn add_texts<'v>(value: &'v Value, texts: &mut Vec<Cow<'v, str>>) {
    match value {
        Value::String(text) => texts.push(Cow::Borrowed(text)),
        Value::Array(several) => several.iter().for_each(|one| add_texts(one, texts)),
        Value::Bool(_) | Value::Number(_) => texts.push(Cow::Owned(value.to_string())),
        Value::Null | Value::Object(_) => {}
    }
}
