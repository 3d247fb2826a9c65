//! When machines were last used: written down for all of them at once, and not more than once a minute.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pulse_store::Store;
use pulse_types::MachineId;

use super::repo;

/// The pause between two writes.
const PAUSE: Duration = Duration::from_mins(1);

/// How many machines wait to be written down; of more, the last use is not known.
const MOST: usize = 100_000;

/// What was used since it was last written down.
#[derive(Debug, Clone, Default)]
pub(super) struct Uses(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    used: HashSet<MachineId>,
    /// Whether somebody is there who will write it down.
    has_writer: bool,
}

impl Uses {
    /// Notes a use. The first one is written at once, those of the next minute together.
    pub(super) fn note(&self, store: &Store, machine: MachineId) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.used.len() < MOST {
            waiting.used.insert(machine);
        }
        if !std::mem::replace(&mut waiting.has_writer, true) {
            tokio::spawn(write(self.clone(), store.clone()));
        }
    }

    /// What is to be written down; `None` when there is nothing, and nobody writes any more.
    fn take(&self) -> Option<Vec<MachineId>> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.used.is_empty() {
            waiting.has_writer = false;
            return None;
        }
        Some(waiting.used.drain().collect())
    }
}

async fn write(uses: Uses, store: Store) {
    while let Some(used) = uses.take() {
        if let Err(error) = repo::note_uses(&store, &used).await {
            tracing::warn!(%error, machines = used.len(), "when API keys were last used is not written down");
        }
        tokio::time::sleep(PAUSE).await;
    }
}
