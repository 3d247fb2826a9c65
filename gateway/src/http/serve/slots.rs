//! Who is connected: how many in all and from one address, and who may go when others come.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

/// The places for connections.
pub(super) struct Slots {
    limit: usize,
    per_address: usize,
    taken: Mutex<Taken>,
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    /// By the order in which they came.
    slots: BTreeMap<u64, Arc<Place>>,
    by_address: FxHashMap<IpAddr, usize>,
    count: u64,
}

/// What is known of a connection.
struct Place {
    /// Requests under way, until the last byte of their answers is handed over.
    busy: AtomicU32,
    has_asked: AtomicBool,
    quiet_since: Mutex<Instant>,
    /// Told when somebody else needs the place.
    leave: Notify,
}

/// A connection's place, given back when dropped.
pub(super) struct Slot {
    slots: Arc<Slots>,
    number: u64,
    address: IpAddr,
    place: Arc<Place>,
}

/// A request under way.
pub(super) struct Busy(Arc<Place>);

/// Whether a connection gets a place.
pub(super) enum Admission {
    Admitted(Slot),
    /// Its address has too many.
    Refused,
}

impl Slots {
    pub(super) fn new(limit: usize, per_address: usize) -> Arc<Self> {
        Arc::new(Self { limit: limit.max(1), per_address, taken: Mutex::default(), freed: Notify::new() })
    }

    /// A place for a connection, once there is one.
    pub(super) async fn admit(self: &Arc<Self>, address: IpAddr) -> Admission {
        loop {
            let freed = self.freed.notified();
            if let Some(admission) = self.try_admit(address) {
                return admission;
            }
            self.make_room();
            freed.await;
        }
    }

    fn try_admit(self: &Arc<Self>, address: IpAddr) -> Option<Admission> {
        let mut taken = self.lock();
        let here = taken.by_address.get(&address).copied().unwrap_or_default();
        if self.per_address > 0 && here >= self.per_address {
            counter!("pulse_gateway_connections_refused_total").increment(1);
            return Some(Admission::Refused);
        }
        if taken.slots.len() >= self.limit {
            return None;
        }
        taken.count += 1;
        let number = taken.count;
        let place = Arc::new(Place {
            busy: AtomicU32::new(0),
            has_asked: AtomicBool::new(false),
            quiet_since: Mutex::new(Instant::now()),
            leave: Notify::new(),
        });
        taken.slots.insert(number, Arc::clone(&place));
        taken.by_address.insert(address, here + 1);
        gauge!("pulse_gateway_connections").increment(1.0);
        Some(Admission::Admitted(Slot { slots: Arc::clone(self), number, address, place }))
    }

    /// Asks some idle connections to go: first those that never asked anything, of these the oldest.
    pub(super) fn make_room(&self) {
        let wanted = self.limit / 100 + 1;
        let taken = self.lock();
        let idle = |has_asked: bool| {
            taken.slots.values().filter(move |place| {
                place.busy.load(Ordering::Acquire) == 0
                    && place.has_asked.load(Ordering::Relaxed) == has_asked
            })
        };
        for place in idle(false).chain(idle(true)).take(wanted) {
            place.leave.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Where the connection comes from.
    pub(super) const fn address(&self) -> IpAddr {
        self.address
    }

    /// Counts a request as under way until what is returned is dropped.
    pub(super) fn busy(&self) -> Busy {
        self.place.has_asked.store(true, Ordering::Relaxed);
        self.place.busy.fetch_add(1, Ordering::AcqRel);
        Busy(Arc::clone(&self.place))
    }

    /// For how long nothing has been under way. `None` when something is.
    pub(super) fn quiet_for(&self) -> Option<Duration> {
        let is_quiet = self.place.busy.load(Ordering::Acquire) == 0;
        is_quiet.then(|| self.place.quiet_since.lock().unwrap_or_else(PoisonError::into_inner).elapsed())
    }

    /// Returns when somebody else needs the place and nothing is under way.
    pub(super) async fn unwanted(&self) {
        loop {
            self.place.leave.notified().await;
            if self.quiet_for().is_some() {
                return;
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        taken.slots.remove(&self.number);
        if let Some(here) = taken.by_address.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                taken.by_address.remove(&self.address);
            }
        }
        drop(taken);
        gauge!("pulse_gateway_connections").decrement(1.0);
        self.slots.freed.notify_one();
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        *self.0.quiet_since.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.0.busy.fetch_sub(1, Ordering::AcqRel);
    }
}
