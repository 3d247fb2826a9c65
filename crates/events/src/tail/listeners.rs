//! Who is told of what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::mpsc;
use pulse_types::{AUDIT, Change, OrgId};
use tokio::sync::broadcast;

use super::{Topic, Wanted};

/// How many changes wait for one follower at most. One that is further behind reads again from where it stopped.
const WAITING: usize = 64;

/// How many changes wait for those who follow everything.
const WAITING_FOR_EVERYTHING: usize = 8_192;

/// The receiving side of one who is told. Unlike the runtime's own channel this one takes no room for what does not wait in
/// it, and there is one for each stream that nobody shares.
pub(super) type Listener = mpsc::Receiver<Arc<Change>>;

/// Those who are told, by what they are told of.
pub(super) struct Listeners {
    of_topics: HashMap<Option<OrgId>, HashMap<&'static str, Vec<Arc<Told>>>>,
    everything: broadcast::Sender<Arc<Change>>,
}

/// One follower, in the list of each of its subjects.
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
            let list = of_tenant.entry(subject).or_default();
            // Those who left are noticed when they are told of something, or when the list would have to grow.
            if list.len() == list.capacity() {
                list.retain(|told| told.is_there());
            }
            list.push(Arc::clone(&told));
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
            let Some(list) = of_tenant.get_mut(subject) else { continue };
            list.retain(|told| !(told.wanted)(change) || told.send(change));
            if list.is_empty() {
                of_tenant.remove(subject);
            }
        }
        if of_tenant.is_empty() {
            self.of_topics.remove(&change.tenant);
        }
    }
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
