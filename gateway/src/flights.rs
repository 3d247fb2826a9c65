//! Equal work of equal callers that is under way at the same time is done once.

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::FutureExt;
use futures::future::Shared;
use rustc_hash::FxHashMap;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tracing::Instrument;

/// All on which an outcome may depend.
pub(crate) trait Key: Send + Sync + 'static {
    /// The same for equal keys.
    fn hash(&self) -> u64;

    /// Whether the other's outcome must be the same.
    fn is_like(&self, other: &Self) -> bool;
}

/// What came of it.
pub(crate) struct Landed<T> {
    /// Shared with whoever else waited for it.
    pub(crate) outcome: Arc<T>,
    /// Whether it was under way already.
    pub(crate) is_shared: bool,
}

/// Work under way. It is given up when nobody waits for it any more; whoever began it is one of many.
struct Flight<K, T> {
    key: Arc<K>,
    outcome: Shared<oneshot::Receiver<Arc<T>>>,
    task: AbortHandle,
}

/// How somebody gets an outcome.
enum Boarding<K, T, C> {
    Flight(Arc<Flight<K, T>>, bool),
    /// By itself: the flight under the same hash is for another one.
    Alone(Arc<K>, C),
}

/// By hash of their keys, each with its number. Keys are compared whole; of two with one hash the second flies alone.
type UnderWay<K, T> = FxHashMap<u64, (u64, Weak<Flight<K, T>>)>;

/// The work under way at one place.
pub(crate) struct Flights<K: Key, T> {
    under_way: Mutex<UnderWay<K, T>>,
    count: AtomicU64,
}

impl<K: Key, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { under_way: Mutex::default(), count: AtomicU64::new(0) }
    }
}

impl<K: Key, T: Send + Sync + 'static> Flights<K, T> {
    /// The outcome of equal work that is under way, or else of `work`. `None` if it panicked.
    pub(crate) async fn join<C, F>(self: &Arc<Self>, key: K, work: C) -> Option<Landed<T>>
    where
        C: FnOnce(Arc<K>) -> F,
        F: Future<Output = T> + Send + 'static,
    {
        let (flight, is_shared) = match self.board(key, work) {
            Boarding::Flight(flight, is_shared) => (flight, is_shared),
            Boarding::Alone(key, work) => {
                return Some(Landed { outcome: Arc::new(work(key).await), is_shared: false });
            }
        };
        let outcome = flight.outcome.clone().await;
        drop(flight);
        outcome.ok().map(|outcome| Landed { outcome, is_shared })
    }

    /// For the time of a change: at its end, also where it is given up, nobody else joins what is under way, which may
    /// have missed it.
    pub(crate) const fn change(&self) -> Change<'_, K, T> {
        Change(self)
    }

    /// The flight of equal work, or a new one.
    fn board<C, F>(self: &Arc<Self>, key: K, work: C) -> Boarding<K, T, C>
    where
        C: FnOnce(Arc<K>) -> F,
        F: Future<Output = T> + Send + 'static,
    {
        let hash = key.hash();
        let mut under_way = self.lock();
        let found = under_way.get(&hash).and_then(|(_, flight)| flight.upgrade());
        let boarding = match &found {
            None => Boarding::Flight(self.begin(&mut under_way, hash, Arc::new(key), work), false),
            Some(flight) if flight.key.is_like(&key) => Boarding::Flight(Arc::clone(flight), true),
            Some(_) => Boarding::Alone(Arc::new(key), work),
        };
        drop(under_way);
        boarding
    }

    fn begin<C, F>(
        self: &Arc<Self>,
        under_way: &mut UnderWay<K, T>,
        hash: u64,
        key: Arc<K>,
        work: C,
    ) -> Arc<Flight<K, T>>
    where
        C: FnOnce(Arc<K>) -> F,
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { flights: Arc::clone(self), hash, number };
        let work = work(Arc::clone(&key));
        let fly = async move {
            let outcome = Arc::new(work.await);
            // Whoever asks from now on gets a newer answer.
            drop(landing);
            drop(sender.send(outcome));
        };
        let task = tokio::spawn(fly.in_current_span()).abort_handle();
        let flight = Arc::new(Flight { key, outcome: receiver.shared(), task });
        // The list is locked, so that the flight cannot land before it is on it.
        under_way.insert(hash, (number, Arc::downgrade(&flight)));
        flight
    }
}

impl<K: Key, T> Flights<K, T> {
    fn lock(&self) -> MutexGuard<'_, UnderWay<K, T>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Drop for Flight<K, T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A change that is being made.
pub(crate) struct Change<'f, K: Key, T>(&'f Flights<K, T>);

impl<K: Key, T> Drop for Change<'_, K, T> {
    fn drop(&mut self) {
        self.0.lock().clear();
    }
}

/// Takes a flight off the list when it ends, however it ends.
struct Landing<K: Key, T> {
    flights: Arc<Flights<K, T>>,
    hash: u64,
    number: u64,
}

impl<K: Key, T> Drop for Landing<K, T> {
    fn drop(&mut self) {
        let mut under_way = self.flights.lock();
        if under_way.get(&self.hash).is_some_and(|(number, _)| *number == self.number) {
            under_way.remove(&self.hash);
        }
    }
}
