//! Equal queries of equal callers that are under way at the same time share one call to a subgraph.

use std::future::Future;
use std::hash::{BuildHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::FutureExt;
use futures::future::Shared;
use http::HeaderMap;
use metrics::counter;
use rustc_hash::{FxBuildHasher, FxHashMap};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tracing::Instrument;

use crate::ports::{SubgraphFault, SubgraphRequest, SubgraphResponse};

type Outcome = Result<SubgraphResponse, SubgraphFault>;

/// All on which an answer may depend. The address is the same for all calls to a subgraph.
pub(super) struct Key {
    pub(super) request: SubgraphRequest,
    /// What header rules make of the client's headers.
    pub(super) headers: HeaderMap,
}

/// A call under way. It is given up when nobody waits for it any more; whoever made it first is one of many.
struct Flight {
    key: Arc<Key>,
    outcome: Shared<oneshot::Receiver<Arc<Outcome>>>,
    task: AbortHandle,
}

/// How a request gets its answer.
enum Boarding<C> {
    Flight(Arc<Flight>),
    /// By itself: the flight under the same hash is for another one.
    Alone(Arc<Key>, C),
}

/// The calls under way to one subgraph.
#[derive(Default)]
pub(super) struct Flights {
    /// By hash of their keys. Keys are compared whole; of two with one hash the second flies alone.
    under_way: Mutex<FxHashMap<u64, (u64, Weak<Flight>)>>,
    count: AtomicU64,
}

impl Flights {
    /// The answer to an equal request that is under way, or else to `call` with this one.
    pub(super) async fn join<C, F>(self: &Arc<Self>, subgraph: &Arc<str>, key: Key, call: C) -> Outcome
    where
        C: FnOnce(Arc<Key>) -> F,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let flight = match self.board(subgraph, key, call) {
            Boarding::Flight(flight) => flight,
            Boarding::Alone(key, call) => return call(key).await,
        };
        let outcome = flight.outcome.clone().await;
        drop(flight);
        match outcome {
            // The last one takes it; the others have copies.
            Ok(outcome) => Arc::try_unwrap(outcome).unwrap_or_else(|shared| copy(&shared)),
            Err(_) => Err(SubgraphFault::Malformed("its answer broke the gateway".to_owned())),
        }
    }

    /// The flight of an equal request, or a new one.
    fn board<C, F>(self: &Arc<Self>, subgraph: &Arc<str>, key: Key, call: C) -> Boarding<C>
    where
        C: FnOnce(Arc<Key>) -> F,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let hash = key.hash();
        let mut under_way = self.lock();
        let found = under_way.get(&hash).and_then(|(_, flight)| flight.upgrade());
        let outcome = match &found {
            None => Boarding::Flight(self.begin(&mut under_way, hash, Arc::new(key), call)),
            Some(flight) if flight.key.is_like(&key) => {
                counter!("pulse_gateway_shared_calls_total", "subgraph" => Arc::clone(subgraph)).increment(1);
                Boarding::Flight(Arc::clone(flight))
            }
            Some(_) => Boarding::Alone(Arc::new(key), call),
        };
        drop(under_way);
        outcome
    }

    fn begin<C, F>(
        self: &Arc<Self>,
        under_way: &mut FxHashMap<u64, (u64, Weak<Flight>)>,
        hash: u64,
        key: Arc<Key>,
        call: C,
    ) -> Arc<Flight>
    where
        C: FnOnce(Arc<Key>) -> F,
        F: Future<Output = Outcome> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let landing = Landing { flights: Arc::clone(self), hash, number };
        let call = call(Arc::clone(&key));
        let fly = async move {
            let outcome = Arc::new(call.await);
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

    fn lock(&self) -> MutexGuard<'_, FxHashMap<u64, (u64, Weak<Flight>)>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy for one of several, which will all work on theirs at the same time.
fn copy(outcome: &Outcome) -> Outcome {
    let SubgraphResponse { data, errors, extensions, headers } =
        outcome.as_ref().map_err(SubgraphFault::clone)?;
    Ok(SubgraphResponse {
        data: data.detached(),
        errors: errors.clone(),
        extensions: extensions.detached(),
        headers: Arc::clone(headers),
    })
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes a flight off the list when it ends, however it ends.
struct Landing {
    flights: Arc<Flights>,
    hash: u64,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut under_way = self.flights.lock();
        if under_way.get(&self.hash).is_some_and(|(number, _)| *number == self.number) {
            under_way.remove(&self.hash);
        }
    }
}

impl Key {
    fn hash(&self) -> u64 {
        let mut hasher = FxBuildHasher.build_hasher();
        (self.request.query_hash, &self.request.variables).hash(&mut hasher);
        self.request.caller.subject.hash(&mut hasher);
        hasher.finish()
    }

    /// Whether the other request must have the same answer. What is not compared says nothing of that: when the answer
    /// is no longer of use is each one's own affair, and of the client's head only what goes to the subgraph counts.
    fn is_like(&self, other: &Self) -> bool {
        let SubgraphRequest {
            query,
            query_hash,
            operation_name,
            variables,
            kind,
            caller,
            files,
            headers: _,
            deadline: _,
        } = &self.request;
        // Files are gone when they are sent once.
        (files.is_empty() && other.request.files.is_empty())
            && *query_hash == other.request.query_hash
            && *kind == other.request.kind
            && *variables == other.request.variables
            && *caller == other.request.caller
            && self.headers == other.headers
            && *operation_name == other.request.operation_name
            && *query == other.request.query
    }
}
