//! An answer is never older than what its caller has written.
//!
//! A write through this process invalidates here in the moment of its commit. Of a write through another one this process
//! hears a little later, by the log; who has written what it has not heard of, the database knows. It is asked once for all
//! who wait at the same time, and nobody is answered by a question that was asked before they came.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use pulse_types::{Caller, UserId};
use tokio::sync::Mutex;

/// How new an answer has to be.
#[derive(Debug, Clone, Copy)]
pub enum Freshness<'a> {
    /// As new as what was heard of changes; for what has been asked about before, and for what nobody in particular wants.
    AsHeard,
    /// Not older than what this caller has last written, through whatever process.
    OwnWrites(&'a Caller),
    /// Newer than what was heard: it was asked about before, and the caller has written what was not heard of.
    Behind,
}

/// Who has written something that is in the log behind a position, or on its way there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unheard {
    /// Those who have; `None` for all who are neither persons nor programs.
    pub actors: HashSet<Option<UserId>>,
    /// There are so many that they were not listed.
    pub everybody: bool,
}

/// Knows of writes before the log does.
pub trait OwnWrites: Send + Sync {
    /// Who has committed something that lies behind `position`, or has no position yet; `None` when nobody can say.
    fn unheard(&self, position: i64) -> BoxFuture<'_, Option<Unheard>>;
}

impl Unheard {
    fn concerns(&self, caller: &Caller) -> bool {
        self.everybody || self.actors.contains(&caller.actor())
    }
}

/// Asks in rounds.
#[derive(Default)]
pub(crate) struct Rounds {
    started: AtomicU64,
    last: Mutex<Round>,
}

#[derive(Default, Clone)]
struct Round {
    number: u64,
    unheard: Option<Arc<Unheard>>,
}

impl Rounds {
    /// Whether everything that `caller` had written before this was called has been heard, up to the position that
    /// `heard` gives.
    pub(crate) async fn are_heard(
        &self,
        own_writes: &dyn OwnWrites,
        caller: &Caller,
        heard: impl Fn() -> Option<i64> + Send,
    ) -> bool {
        let before = self.started.load(Ordering::SeqCst);
        let mut last = self.last.lock().await;
        if last.number <= before {
            let number = self.started.fetch_add(1, Ordering::SeqCst) + 1;
            let unheard = match heard() {
                Some(position) => own_writes.unheard(position).await,
                None => None,
            };
            *last = Round { number, unheard: unheard.map(Arc::new) };
        }
        let round = last.clone();
        drop(last);
        round.unheard.is_some_and(|unheard| !unheard.concerns(caller))
    }
}
