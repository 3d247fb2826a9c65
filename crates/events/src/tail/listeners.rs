//! Who is told of what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::mpsc;
use pulse_types::{AUDIT, Change, OrgId};
use tokio::sync::broadcast;
use uuid::Uuid;

use super::{Route, Topic, Wanted};

/// How many changes wait for one follower at most. One that is further behind reads again from where it stopped.
const WAITING: usize = 64;

/// How many changes wait for those who follow everything.
const WAITING_FOR_EVERYTHING: usize = 8_192;

/// So many places may be taken before it is looked which of them are left.
const PLACES: usize = 64;

/// The receiving side of one who is told. Unlike the runtime's own channel this one takes no room for what does not wait in
/// it, and there is one for each stream that nobody shares.
pub(super) type Listener = mpsc::Receiver<Arc<Change>>;

/// Those who are told, by what they are told of.
pub(super) struct Listeners {
    of_topics: HashMap<Option<OrgId>, HashMap<&'static str, Listed>>,
    everything: broadcast::Sender<Arc<Change>>,
}

/// Those who are told of one subject, found by what they want: ten thousand of them are not asked one by one about each change.
/// Whoever wants one of several values stands in several lists, and passes over what it is told twice.
#[derive(Default)]
struct Listed {
    /// Whatever has changed.
    all: Vec<Arc<Told>>,
    by_key: HashMap<Uuid, Vec<Arc<Told>>>,
    by_attribute: HashMap<&'static str, HashMap<Box<str>, Vec<Arc<Told>>>>,
    /// Places in lists, and how many there are before those are given up whose followers have left.
    places: usize,
    most: usize,
}

/// One follower, in the lists of each of its subjects.
struct Told {
    /// Gone once something could not be sent: what comes after it must not be heard without it.
    sender: Mutex<Option<mpsc::Sender<Arc<Change>>>>,
    wanted: Wanted,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { of_topics: HashMap::new(), everything: broadcast::Sender::new(WAITING_FOR_EVERYTHING) }
    }
}

impl Listeners {
    pub(super) fn add(&mut self, topic: &Topic) -> Listener {
        let (sender, receiver) = mpsc::channel(WAITING);
        let told = Arc::new(Told { sender: Mutex::new(Some(sender)), wanted: Arc::clone(&topic.wanted) });
        let of_tenant = self.of_topics.entry(topic.tenant).or_default();
        for subject in topic.subjects {
            of_tenant.entry(subject).or_default().add(&told, &topic.route);
        }
        receiver
    }

    pub(super) fn everything(&self) -> broadcast::Receiver<Arc<Change>> {
        self.everything.subscribe()
    }

    pub(super) fn tell(&mut self, change: &Arc<Change>) {
        let _ = self.everything.send(Arc::clone(change));
        let Some(of_tenant) = self.of_topics.get_mut(&change.tenant) else { return };
        let has_facts = !change.facts.is_empty() && *change.subject != *AUDIT;
        for subject in std::iter::once(&*change.subject).chain(has_facts.then_some(AUDIT)) {
            let Some(listed) = of_tenant.get_mut(subject) else { continue };
            listed.tell(change);
            if listed.is_empty() {
                of_tenant.remove(subject);
            }
        }
        if of_tenant.is_empty() {
            self.of_topics.remove(&change.tenant);
        }
    }
}

impl Listed {
    fn add(&mut self, told: &Arc<Told>, route: &Route) {
        let places = match route {
            Route::All => 1,
            Route::Keys(keys) => keys.len(),
            Route::Attribute(_, values) => values.len(),
        };
        // Those who left are noticed when they are told of something, or when there would be too many.
        if self.places + places > self.most.max(PLACES) {
            self.keep(|told| told.is_there());
            self.places = self.count();
            self.most = 2 * (self.places + places);
        }
        self.places += places;
        match route {
            Route::All => self.all.push(Arc::clone(told)),
            Route::Keys(keys) => {
                for key in keys {
                    self.by_key.entry(*key).or_default().push(Arc::clone(told));
                }
            }
            Route::Attribute(name, values) => {
                let lists = self.by_attribute.entry(name).or_default();
                for value in values {
                    match lists.get_mut(value) {
                        Some(list) => list.push(Arc::clone(told)),
                        None => drop(lists.insert(value.clone(), vec![Arc::clone(told)])),
                    }
                }
            }
        }
    }

    fn tell(&mut self, change: &Arc<Change>) {
        let goes_on = |told: &Arc<Told>| !(told.wanted)(change) || told.send(change);
        self.all.retain(goes_on);
        keep_in(&mut self.by_key, &change.key, goes_on);
        for (name, lists) in &mut self.by_attribute {
            match change.values(name) {
                Some(values) => {
                    for value in values {
                        keep_in(lists, value.as_str(), goes_on);
                    }
                }
                // It may have any.
                None => keep_in_all(lists, goes_on),
            }
        }
    }

    fn keep(&mut self, stays: impl Fn(&Arc<Told>) -> bool + Copy) {
        self.all.retain(stays);
        keep_in_all(&mut self.by_key, stays);
        for lists in self.by_attribute.values_mut() {
            keep_in_all(lists, stays);
        }
    }

    fn count(&self) -> usize {
        let of_values = self.by_attribute.values().flat_map(HashMap::values);
        let lists = self.by_key.values().chain(of_values);
        self.all.len() + lists.map(Vec::len).sum::<usize>()
    }

    fn is_empty(&self) -> bool {
        self.all.is_empty() && self.by_key.is_empty() && self.by_attribute.values().all(HashMap::is_empty)
    }
}

fn keep_in<K, Q>(lists: &mut HashMap<K, Vec<Arc<Told>>>, key: &Q, stays: impl Fn(&Arc<Told>) -> bool)
where
    K: std::borrow::Borrow<Q> + std::hash::Hash + Eq,
    Q: std::hash::Hash + Eq + ?Sized,
{
    let Some(list) = lists.get_mut(key) else { return };
    list.retain(stays);
    if list.is_empty() {
        lists.remove(key);
    }
}

fn keep_in_all<K: std::hash::Hash + Eq>(
    lists: &mut HashMap<K, Vec<Arc<Told>>>,
    stays: impl Fn(&Arc<Told>) -> bool + Copy,
) {
    lists.retain(|_, list| {
        list.retain(stays);
        !list.is_empty()
    });
}

impl Told {
    fn is_there(&self) -> bool {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        sender.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Whether it was sent. A follower that is full is let go of: it finds the end behind what waits for it.
    fn send(&self, change: &Arc<Change>) -> bool {
        let mut slot = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = slot.as_mut() else { return false };
        let is_sent = sender.try_send(Arc::clone(change)).is_ok();
        if !is_sent {
            slot.take();
        }
        is_sent
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use pulse_types::ChangeKind;
    use serde_json::json;

    use super::*;

    const SUBJECT: &str = "test.thing";

    fn change(
        position: i64,
        key: u128,
        attributes: serde_json::Value,
        before: serde_json::Value,
    ) -> Arc<Change> {
        let map = |value: serde_json::Value| value.as_object().cloned().unwrap_or_default();
        Arc::new(Change {
            position,
            tenant: None,
            kind: ChangeKind::Updated,
            subject: SUBJECT.into(),
            key: Uuid::from_u128(key),
            version: 1,
            changed: Vec::new(),
            attributes: map(attributes),
            before: map(before),
            actor: None,
            request: None,
            at: DateTime::UNIX_EPOCH,
            facts: Vec::new(),
        })
    }

    fn topic(route: Route) -> Topic {
        Topic { route, ..Topic::new(None, &[SUBJECT]) }
    }

    fn of_types(types: &[&str]) -> Topic {
        topic(Route::Attribute("type", types.iter().map(|name| Box::from(*name)).collect()))
    }

    /// The places of what waits for a listener.
    fn heard(listener: &mut Listener) -> Vec<i64> {
        std::iter::from_fn(|| listener.try_recv().ok()).map(|change| change.position).collect()
    }

    #[test]
    fn each_is_told_of_what_its_route_leads_to() {
        let mut listeners = Listeners::default();
        let mut all = listeners.add(&topic(Route::All));
        let mut a = listeners.add(&of_types(&["a"]));
        let mut both = listeners.add(&of_types(&["a", "b"]));
        let mut one = listeners.add(&topic(Route::Keys(vec![Uuid::from_u128(1)])));
        listeners.tell(&change(1, 1, json!({ "type": "a" }), json!({})));
        listeners.tell(&change(2, 2, json!({ "type": "b" }), json!({})));
        // What moves out is heard of as well as what moves in, and what does not say may be any.
        listeners.tell(&change(3, 2, json!({ "type": "c" }), json!({ "type": "a" })));
        listeners.tell(&change(4, 2, json!({ "type": ["c", "b"] }), json!({})));
        listeners.tell(&change(5, 1, json!({}), json!({})));
        listeners.tell(&change(6, 2, json!({ "type": "b" }), json!({ "type": "a" })));
        assert_eq!(heard(&mut all), [1, 2, 3, 4, 5, 6]);
        assert_eq!(heard(&mut a), [1, 3, 5, 6]);
        let mut told = heard(&mut both);
        told.dedup();
        assert_eq!(told, [1, 2, 3, 4, 5, 6]);
        assert_eq!(heard(&mut one), [1, 5]);
    }

    #[test]
    fn those_who_left_take_no_room() {
        let mut listeners = Listeners::default();
        let kept = listeners.add(&of_types(&["kept"]));
        for nth in 0..10_000_u128 {
            drop(listeners.add(&topic(Route::Keys(vec![Uuid::from_u128(nth)]))));
            drop(listeners.add(&of_types(&[&nth.to_string()])));
        }
        let listed = &listeners.of_topics[&None][SUBJECT];
        assert!(listed.count() <= 2 * PLACES, "{}", listed.count());
        drop(kept);
        listeners.tell(&change(1, 1, json!({}), json!({})));
        let listed = listeners.of_topics.get(&None).and_then(|topics| topics.get(SUBJECT));
        assert!(listed.is_none_or(|listed| listed.by_attribute.values().all(HashMap::is_empty)));
    }
}
