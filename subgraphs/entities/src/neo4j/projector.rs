//! The consumer of the log that writes the copy.
//!
//! It is no consumer group: its place is kept in Neo4j, beside what was made of the log until there, so that a Neo4j that was
//! emptied, or brought back from before, is noticed. Each step is under an advisory lock; and what a process that has lost it still
//! writes, Neo4j refuses.

use std::sync::Arc;

use pulse_events::{Log, Tail};
use pulse_store::{Connection, Store, StoreError};
use pulse_types::{Change, OrgId};
use tokio::sync::Mutex;

use super::apply::{Applied, is_of_graph, work_of};
use super::claim::Held;
use super::client::{Neo4j, Neo4jError};
use super::copy::{Hold, NOT_READ, Source, write};
use super::load;

/// Names the advisory lock of a step: one writer of the copy per database.
const LOCK: i64 = 0x5055_4c53_4e34;
/// How many changes are applied at once.
const BATCH: usize = 2_000;
/// How often a step is tried that Neo4j could not do for the moment, such as for a deadlock.
const TRIES: usize = 5;

/// Why the copy cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// PostgreSQL did not do what was asked.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Neo4j did not.
    #[error(transparent)]
    Neo4j(#[from] Neo4jError),
    /// Nobody moves events to the log, or there are always more.
    #[error("events of {0} do not all come to the log: no worker runs, or it is written to without a pause")]
    LogStands(OrgId),
    /// Retention has taken away what was not applied yet: the copy begins anew.
    #[error("the log has no events any more that follow {0}")]
    LogDropped(i64),
}

/// What one step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another process writes the copy.
    NotOurs,
    /// There was nothing to do.
    Idle,
    /// So many changes were applied.
    Applied(usize),
    /// The part of a tenant was read from its rows.
    Read(OrgId),
}

/// Writes the copy of the graph in Neo4j.
pub struct Projector {
    pub(super) store: Store,
    pub(super) tail: Tail,
    pub(super) neo4j: Neo4j,
    pub(super) held: Mutex<Option<Held>>,
}

impl Projector {
    /// A writer of the copy of `store`'s graph, which reads the log's end from `tail`.
    pub fn new(store: Store, tail: Tail, neo4j: Neo4j) -> Self {
        Self { store, tail, neo4j, held: Mutex::new(None) }
    }

    /// The store that has the graph.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Does what there is to do next: takes over, reads the part of a tenant, applies a batch.
    pub async fn step(&self) -> Result<Step, ProjectionError> {
        let mut held = self.held.lock().await;
        let Some(lock) = self.lock(false).await? else {
            *held = None;
            return Ok(Step::NotOurs);
        };
        let step = self.step_locked(&mut held).await;
        // At once: one that is dropped ends some time later, and the next step would meet its own lock.
        let released = lock.commit().await;
        if step.is_err() || released.is_err() {
            *held = None;
        }
        step
    }

    /// The lock, as a transaction that holds it; `None` where it is another's and `wait` is not asked for.
    pub(super) async fn lock(&self, wait: bool) -> Result<Option<Connection>, StoreError> {
        let mut connection = self.store.system().await?;
        let statement = if wait {
            "SELECT pg_advisory_xact_lock($1) IS NOT NULL"
        } else {
            "SELECT pg_try_advisory_xact_lock($1)"
        };
        let (ours,): (bool,) =
            connection.fetch_one("graph.lock", sqlx::query_as(statement).bind(LOCK)).await?;
        Ok((ours || wait).then_some(connection))
    }

    /// A step of who has the lock. What Neo4j could not do for the moment is begun again from what it has.
    pub(super) async fn step_locked(&self, held: &mut Option<Held>) -> Result<Step, ProjectionError> {
        let mut tries = 1;
        loop {
            match self.try_step(held).await {
                Err(ProjectionError::Neo4j(error)) if error.is_transient() && tries < TRIES => {
                    *held = None;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn try_step(&self, held: &mut Option<Held>) -> Result<Step, ProjectionError> {
        if held.is_none() {
            *held = Some(Held::claim(&self.store, &self.neo4j).await?);
        }
        let Some(held) = held else { return Ok(Step::NotOurs) };
        if let Some(tenant) = held.to_read.last().copied() {
            load::load(&self.store, &held.hold, tenant).await?;
            held.to_read.pop();
            // What waits for no more than is applied already is whole from here on.
            held.hold.end(held.position).await?;
            return Ok(Step::Read(tenant));
        }
        let changes = self.read(held.position).await?;
        let Some(upto) = changes.last().map(|change| change.position) else {
            if !held.is_there().await? {
                return Err(Neo4jError::TakenOver.into());
            }
            return Ok(Step::Idle);
        };
        if changes.first().is_some_and(|first| first.position != held.position + 1) {
            return Err(ProjectionError::LogDropped(held.position));
        }
        self.apply(held, &changes, upto).await?;
        held.position = upto;
        self.measure(&changes);
        Ok(Step::Applied(changes.len()))
    }

    async fn read(&self, position: i64) -> Result<Vec<Arc<Change>>, StoreError> {
        if let Some(read) = self.tail.remembered_after(position, BATCH) {
            return Ok(read);
        }
        let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
        let read = Log::new(self.store.clone()).after(position, limit).await?;
        Ok(read.into_iter().map(Arc::new).collect())
    }

    /// Three transactions, because Neo4j shows parts of one that is being committed: first no walk begins or ends in these
    /// parts any more, then they change, then they are whole again. Broken off in between, all of it is done again.
    async fn apply(
        &self,
        held: &mut Held,
        changes: &[Arc<Change>],
        upto: i64,
    ) -> Result<(), ProjectionError> {
        let Applied { mut work, unreadable } = work_of(changes);
        if !work.is_empty() {
            let right: &Hold = &held.hold;
            let tenants: Vec<OrgId> = work.keys().copied().collect();
            right.begin_with(&tenants, upto).await?;
            if !unreadable.is_empty() {
                right.begin_with(&unreadable, NOT_READ).await?;
                held.to_read.extend(unreadable.iter().copied());
                work.retain(|tenant, _| !unreadable.contains(tenant));
            }
            for tenant in work.keys() {
                if !held.indexed.contains(tenant) {
                    right.index(*tenant).await?;
                    held.indexed.insert(*tenant);
                }
            }
            let mut writing = right.begin().await?;
            for (tenant, work) in &work {
                write(&mut writing, *tenant, Source::Changes, work).await?;
            }
            writing.commit().await?;
        }
        Ok(held.hold.end(upto).await?)
    }

    fn measure(&self, changes: &[Arc<Change>]) {
        let Some(last) = changes.last() else { return };
        let lag = (self.store.clock().now() - last.at).to_std().unwrap_or_default();
        metrics::histogram!("pulse_graph_copy_lag_seconds").record(lag.as_secs_f64());
        let applied = changes.iter().filter(|change| is_of_graph(change)).count();
        metrics::counter!("pulse_graph_copy_changes_total").increment(applied as u64);
    }
}
