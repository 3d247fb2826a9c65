//! Reads what is new in the log, for everybody in this process.

use std::pin::pin;
use std::time::Duration;

use pulse_store::StoreError;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use super::Tail;
use crate::LOG_CHANNEL;

/// Changes read at once.
const BATCH: i64 = 2_000;

/// How long something new may stand unseen when every notification was lost.
const SWEEP: Duration = Duration::from_secs(5);

/// The pause before a database that did not answer is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// Moves a [`Tail`] along its log.
#[derive(Debug)]
pub struct TailReader {
    tail: Tail,
    /// For listening, which a pooler in front of the database does not pass on.
    direct: Option<PgConnectOptions>,
}

impl TailReader {
    pub(super) const fn new(tail: Tail) -> Self {
        Self { tail, direct: None }
    }

    /// Is told of new positions over a connection of its own, instead of finding them by its sweep.
    #[must_use]
    pub fn listening(self, direct: PgConnectOptions) -> Self {
        Self { direct: Some(direct), ..self }
    }

    /// Works until `stop`. A database that does not answer is asked again; nothing is missed meanwhile.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
    }

    async fn work(self) {
        let store = self.tail.shared.store.clone();
        let mut listener = None;
        loop {
            // Waiting begins before the log is read, so that nothing falls between.
            let mut sequenced = pin!(store.sequenced().notified());
            sequenced.as_mut().enable();
            if listener.is_none() {
                listener = self.listen().await;
            }
            match self.read().await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "the event log cannot be read; it is tried again");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            }
            let sweep = if listener.is_some() || self.direct.is_none() { SWEEP } else { PAUSE };
            tokio::select! {
                lost = self.notified(&mut listener) => if lost { listener = None },
                () = sequenced => {}
                () = tokio::time::sleep(sweep) => {}
            }
        }
    }

    /// Reads a batch; whether there may be more.
    async fn read(&self) -> Result<bool, StoreError> {
        let shared = &self.tail.shared;
        if *shared.told.borrow() < 0 {
            let head = shared.log.head().await?;
            shared.begin(&head.name, head.position);
            return Ok(false);
        }
        let position = shared.lock().position;
        let changes = shared.log.after(position, BATCH).await?;
        let full = i64::try_from(changes.len()).is_ok_and(|read| read == BATCH);
        shared.take(changes);
        Ok(full)
    }

    async fn listen(&self) -> Option<PgListener> {
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(self.direct.clone()?);
        let mut listener = PgListener::connect_with(&pool).await.ok()?;
        listener.listen(LOG_CHANNEL).await.ok()?;
        Some(listener)
    }

    /// Waits for a position that was not read yet, for ever when there is no listener; whether the listener broke.
    async fn notified(&self, listener: &mut Option<PgListener>) -> bool {
        let Some(listener) = listener else { return std::future::pending().await };
        loop {
            match listener.try_recv().await {
                Ok(Some(notification)) => {
                    let position = notification.payload().parse::<i64>().unwrap_or(i64::MAX);
                    if position > *self.tail.shared.told.borrow() {
                        return false;
                    }
                }
                Ok(None) | Err(_) => return true,
            }
        }
    }
}
