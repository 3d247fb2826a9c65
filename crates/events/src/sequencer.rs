//! From the outbox to the log.

use std::time::Duration;

use pulse_store::{Store, StoreError};
use sqlx::postgres::{PgConnectOptions, PgListener};
use tokio_util::sync::CancellationToken;

use crate::OUTBOX_CHANNEL;

/// Events moved in one transaction at most.
const BATCH: i64 = 5_000;

/// How long an outbox may stand unseen when every wake-up was lost.
const SWEEP: Duration = Duration::from_secs(1);

/// Partitions of the log are made when fewer than this many positions are left in the last one.
const PARTITION_MARGIN: i64 = 500_000;

/// Names the advisory lock: one sequencer per database.
const LOCK: i64 = 0x5055_4c53_4501;

const MOVE: &str = include_str!("queries/move.sql");

/// Moves what was committed from the outbox to the log, and gives it dense positions. Any number may run; one at a
/// time works.
#[derive(Debug)]
pub struct Sequencer {
    store: Store,
    /// For listening, which a pooler in front of the database does not pass on.
    direct: Option<PgConnectOptions>,
    partitions_until: i64,
}

impl Sequencer {
    /// A sequencer that is woken by commits of this process alone, and by its sweep.
    pub const fn new(store: Store) -> Self {
        Self { store, direct: None, partitions_until: 0 }
    }

    /// Also listens, on a connection of its own, to the [`crate::Waker`]s of other processes.
    #[must_use]
    pub fn listening(self, direct: PgConnectOptions) -> Self {
        Self { direct: Some(direct), ..self }
    }

    /// Works until `stop`. A database that does not answer is asked again at the next sweep.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut listener = None;
        while !stop.is_cancelled() {
            match self.step().await {
                Ok(moved) if moved == BATCH => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the outbox cannot be moved to the log"),
            }
            if listener.is_none() {
                listener = self.listen().await;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.store.committed().notified() => {}
                lost = notified(&mut listener) => if lost { listener = None },
                () = tokio::time::sleep(SWEEP) => {}
            }
        }
    }

    /// Moves up to a batch; how many events there were. An outbox with nothing in it costs one statement.
    pub async fn step(&mut self) -> Result<i64, StoreError> {
        let mut connection = self.store.system().await?;
        let head =
            sqlx::query_as("SELECT position, EXISTS (SELECT FROM platform.outbox) FROM platform.log_head");
        let (head, waiting): (i64, bool) = connection.fetch_one("sequencer.head", head).await?;
        if !waiting {
            return Ok(0);
        }
        let lock = sqlx::query_as("SELECT pg_try_advisory_xact_lock($1)").bind(LOCK);
        let (ours,): (bool,) = connection.fetch_one("sequencer.lock", lock).await?;
        if !ours {
            return Ok(0);
        }
        if head + BATCH > self.partitions_until {
            let ensure = sqlx::query("SELECT platform.ensure_log_partitions($1)").bind(head + BATCH);
            connection.execute("sequencer.partitions", ensure).await?;
            self.partitions_until = head + PARTITION_MARGIN;
        }
        let query = sqlx::query_as(MOVE).bind(BATCH).bind(crate::LOG_CHANNEL);
        let (moved,): (i64,) = connection.fetch_one("sequencer.move", query).await?;
        connection.commit().await?;
        self.store.sequenced().notify_waiters();
        metrics::counter!("pulse_log_events_total").increment(u64::try_from(moved).unwrap_or(0));
        Ok(moved)
    }

    async fn listen(&self) -> Option<PgListener> {
        let direct = self.direct.clone()?;
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1).connect_lazy_with(direct);
        let mut listener = PgListener::connect_with(&pool).await.ok()?;
        listener.listen(OUTBOX_CHANNEL).await.ok()?;
        Some(listener)
    }
}

/// Waits for a notification, for ever when there is no listener; whether the listener broke.
async fn notified(listener: &mut Option<PgListener>) -> bool {
    match listener {
        Some(listener) => listener.try_recv().await.map_or(true, |notification| notification.is_none()),
        None => std::future::pending().await,
    }
}
