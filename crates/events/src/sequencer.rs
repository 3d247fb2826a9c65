//! From the outbox to the log.

use std::time::Duration;

use pulse_store::{Store, StoreError};
use sqlx::postgres::{PgConnectOptions, PgListener};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::OUTBOX_CHANNEL;

/// Events moved in one transaction at most.
const BATCH: i64 = 5_000;

/// How long an outbox may stand unseen when every wake-up was lost.
const SWEEP: Duration = Duration::from_secs(1);

/// After each batch the sequencer rests for twice as long as it took, within these bounds: of commits in quick succession
/// it takes many at a time, and leaves the database most of its time. One that comes after a while is moved at once.
const REST: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(30));

/// Partitions of the log are made when fewer than this many positions are left in the last one.
const PARTITION_MARGIN: i64 = 500_000;

/// Names the advisory lock: one sequencer per database.
const LOCK: i64 = 0x5055_4c53_4501;

/// Where the log ends, and whether this transaction is to move events there: there are some, and nobody else is at it.
const HEAD: &str = "SELECT position, CASE WHEN EXISTS (SELECT FROM platform.outbox) THEN pg_try_advisory_xact_lock($1) ELSE false END
      FROM platform.log_head";
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
            let begun = Instant::now();
            match self.step().await {
                Ok(moved) if moved == BATCH => continue,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the outbox cannot be moved to the log"),
            }
            let ended = Instant::now();
            if listener.is_none() {
                listener = self.listen().await;
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.told(&mut listener) => {}
                () = tokio::time::sleep(SWEEP) => {}
            }
            let rested = ended + ((ended - begun) * 2).clamp(REST.0, REST.1);
            // Whatever is told until then, the next step sees.
            while Instant::now() < rested {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = self.told(&mut listener) => {}
                    () = tokio::time::sleep_until(rested) => {}
                }
            }
        }
    }

    /// Waits for a commit of this process, or for word of others'; a listener that breaks may have missed some.
    async fn told(&self, listener: &mut Option<PgListener>) {
        tokio::select! {
            () = self.store.committed().notified() => {}
            lost = notified(listener) => if lost { *listener = None },
        }
    }

    /// Moves up to a batch; how many events there were. An outbox with nothing in it costs one statement.
    pub async fn step(&mut self) -> Result<i64, StoreError> {
        let mut connection = self.store.sequencer().await?;
        let head = sqlx::query_as(HEAD).bind(LOCK);
        let (head, ours): (i64, bool) = connection.fetch_one("sequencer.head", head).await?;
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
