//! Equal work of equal callers that is under way at the same time is done once.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
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
    hash: u64,
    number: u64,
    outcome: Shared<oneshot::Receiver<Arc<T>>>,
    /// What goes on with it, where whoever began it has given up.
    task: OnceLock<AbortHandle>,
}

/// How somebody gets an outcome.
enum Boarding<K: Key, T: Send + Sync + 'static, C> {
    /// They do the work.
    Pilot(Pilot<K, T>),
    /// Somebody else does.
    Passenger(Arc<Flight<K, T>>),
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
        match self.board(key, work) {
            Boarding::Pilot(pilot) => pilot.fly().await.map(|outcome| Landed { outcome, is_shared: false }),
            Boarding::Passenger(flight) => {
                let outcome = flight.outcome.clone().await;
                drop(flight);
                outcome.ok().map(|outcome| Landed { outcome, is_shared: true })
            }
            Boarding::Alone(key, work) => {
                Some(Landed { outcome: Arc::new(work(key).await), is_shared: false })
            }
        }
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
            None => Boarding::Pilot(self.begin(&mut under_way, hash, Arc::new(key), work)),
            Some(flight) if flight.key.is_like(&key) => Boarding::Passenger(Arc::clone(flight)),
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
    ) -> Pilot<K, T>
    where
        C: FnOnce(Arc<K>) -> F,
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { flights: Arc::clone(self), hash, number };
        let work = AssertUnwindSafe(work(Arc::clone(&key))).catch_unwind();
        let fly = async move {
            let outcome = work.await.ok().map(Arc::new);
            // Whoever asks from now on gets a newer answer.
            drop(landing);
            if let Some(outcome) = &outcome {
                drop(sender.send(Arc::clone(outcome)));
            }
            outcome
        };
        let outcome = receiver.shared();
        let flight = Arc::new(Flight { key, hash, number, outcome, task: OnceLock::new() });
        under_way.insert(hash, (number, Arc::downgrade(&flight)));
        Pilot { flights: Arc::clone(self), flight, work: Some(fly.in_current_span().boxed()) }
    }
}

impl<K: Key, T> Flights<K, T> {
    fn lock(&self) -> MutexGuard<'_, UnderWay<K, T>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, T> Drop for Flight<K, T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.get() {
            task.abort();
        }
    }
}

/// Does the work where it was asked for, which costs no task and no way between threads.
struct Pilot<K: Key, T: Send + Sync + 'static> {
    flights: Arc<Flights<K, T>>,
    flight: Arc<Flight<K, T>>,
    /// Until it is done.
    work: Option<BoxFuture<'static, Option<Arc<T>>>>,
}

impl<K: Key, T: Send + Sync + 'static> Pilot<K, T> {
    /// The outcome; `None` if the work panicked.
    async fn fly(mut self) -> Option<Arc<T>> {
        let outcome = self.work.as_mut()?.await;
        self.work = None;
        outcome
    }
}

impl<K: Key, T: Send + Sync + 'static> Drop for Pilot<K, T> {
    /// Others may wait for what is given up here: it goes on as a task of its own then.
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // Nobody comes aboard while the list is locked.
        let mut under_way = self.flights.lock();
        let is_awaited = Arc::strong_count(&self.flight) > 1;
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if is_awaited && !std::thread::panicking() => {
                let task = runtime.spawn(work.map(drop));
                let _ = self.flight.task.set(task.abort_handle());
            }
            _ => {
                let (hash, number) = (self.flight.hash, self.flight.number);
                if under_way.get(&hash).is_some_and(|(other, _)| *other == number) {
                    under_way.remove(&hash);
                }
                drop(under_way);
                // It takes itself off the list, which must not be locked.
                drop(work);
            }
        }
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
