//! Live queries: answered, and answered again when something that they read has changed. Equal ones of equal callers run
//! once; each client reads the newest answer at its own pace.

mod follower;
mod patch;
mod places;
mod running;
mod snapshot;

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::config::LiveQueriesConfig;
use crate::engine::{ExecutionContext, Operation};
use crate::flights::Key as _;
use crate::gateway::State;
use crate::pipeline::{Client, Execution, Refusal};
use crate::supergraph::Served;
use crate::value::Value;

pub(crate) use follower::{BeginLive, Follower};
use places::{Place, Places};
use running::Running;

/// All of them.
pub(crate) struct LiveQueries {
    /// By hash of what they are shared by.
    running: Mutex<FxHashMap<u64, Vec<Weak<Running>>>>,
    places: Arc<Places>,
}

/// What is to be answered again and again.
pub(crate) struct Asked {
    pub(crate) state: Arc<State>,
    pub(crate) served: Arc<Served>,
    pub(crate) operation: Arc<Operation>,
    pub(crate) variables: Option<Value>,
    pub(crate) context: ExecutionContext,
    /// The least time between two answers.
    pub(crate) throttle: Duration,
    /// What it may be shared by; `None` for one that is for one client alone.
    pub(crate) execution: Option<Execution>,
}

/// What live queries are shared by.
struct Key {
    execution: Execution,
    throttle: Duration,
}

impl Key {
    fn hash(&self) -> u64 {
        FxBuildHasher.hash_one((self.execution.hash(), self.throttle))
    }

    fn is_like(&self, other: &Self) -> bool {
        self.throttle == other.throttle && self.execution.is_like(&other.execution)
    }
}

impl LiveQueries {
    pub(crate) fn new(config: &LiveQueriesConfig) -> Self {
        Self { running: Mutex::default(), places: Arc::new(Places::new(config.limit)) }
    }

    /// A place for one more of this client.
    fn place(&self, client: &Client, limit_per_caller: usize) -> Result<Place, Refusal> {
        self.places.take(client, limit_per_caller)
    }

    /// An equal one that runs, or a new one.
    fn join(self: &Arc<Self>, mut asked: Asked) -> Arc<Running> {
        let throttle = asked.throttle;
        let Some(key) = asked.execution.take().map(|execution| Key { execution, throttle }) else {
            return Running::begin(asked, None);
        };
        let hash = key.hash();
        let mut list = self.lock();
        let list_of_hash = list.entry(hash).or_default();
        let known: Vec<_> = list_of_hash.iter().filter_map(Weak::upgrade).collect();
        let equal = known.iter().find(|running| running.is_for(&key)).map(Arc::clone);
        let running = equal.unwrap_or_else(|| {
            let running = Running::begin(asked, Some((key, Arc::downgrade(self))));
            list_of_hash.push(Arc::downgrade(&running));
            running
        });
        // Letting go of one locks the list.
        drop(list);
        drop(known);
        running
    }

    /// Forgets those that nobody follows any more.
    fn forget(&self, hash: u64) {
        let mut running = self.lock();
        if let Some(list) = running.get_mut(&hash) {
            list.retain(|running| running.strong_count() > 0);
            if list.is_empty() {
                running.remove(&hash);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, FxHashMap<u64, Vec<Weak<Running>>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
