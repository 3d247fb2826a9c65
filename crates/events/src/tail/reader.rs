//! Reads what is new in the log, for everybody in this process.

use std::convert::Infallible;
use std::pin::pin;
use std::time::Duration;

use pulse_store::StoreError;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Tail;
use crate::LOG_CHANNEL;
use crate::relay::{Relay, RelayError, Stream};

/// Changes read at once.
const BATCH: i64 = 2_000;

/// How long something new may stand unseen when every notification was lost.
const SWEEP: Duration = Duration::from_secs(5);

/// The pause before a database that did not answer is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long the log itself is read before a Redis that failed is tried again.
const WITHOUT_REDIS: Duration = Duration::from_secs(2);

/// Moves a [`Tail`] along its log.
#[derive(Debug)]
pub struct TailReader {
    tail: Tail,
    /// For listening, which a pooler in front of the database does not pass on.
    direct: Option<PgConnectOptions>,
    relay: Option<Relay>,
}

impl TailReader {
    pub(super) const fn new(tail: Tail) -> Self {
        Self { tail, direct: None, relay: None }
    }

    /// Is told of new positions over a connection of its own, instead of finding them by its sweep.
    #[must_use]
    pub fn listening(self, direct: PgConnectOptions) -> Self {
        Self { direct: Some(direct), ..self }
    }

    /// Takes changes from where another process publishes them, and from the log itself only what is missing there.
    #[must_use]
    pub fn through(self, relay: Option<Relay>) -> Self {
        Self { relay, ..self }
    }

    /// Works until `stop`. A database that does not answer is asked again; nothing is missed meanwhile.
    pub async fn run(self, stop: CancellationToken) {
        let store = self.tail.shared.store.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
        // What is kept from here on would never end.
        if let Some(cache) = store.cache() {
            cache.end();
        }
    }

    async fn work(self) {
        let Some(relay) = &self.relay else { return self.read_log(None).await };
        let mut said = false;
        loop {
            // The log's name, which the relay's keys have in them, is known once its end was found.
            if *self.tail.shared.told.borrow() >= 0 {
                let Err(error) = self.read_relay(relay, &mut said).await;
                if !said {
                    said = true;
                    tracing::warn!(%error, "changes do not come through Redis; the event log is read instead");
                }
                metrics::gauge!("pulse_events_relayed").set(0.0);
            }
            self.read_log(Some(Instant::now() + WITHOUT_REDIS)).await;
        }
    }

    /// Takes what is published until that fails.
    async fn read_relay(&self, relay: &Relay, said: &mut bool) -> Result<Infallible, RelayError> {
        let shared = &self.tail.shared;
        let log = shared.name.get().cloned().unwrap_or_default();
        let mut stream = Stream::connect(relay, &log).await?;
        let count = usize::try_from(BATCH).unwrap_or(usize::MAX);
        loop {
            let position = shared.lock().position;
            let entries = stream.read(position, count, SWEEP).await?;
            if *said {
                *said = false;
                tracing::info!("changes come through Redis again");
            }
            metrics::gauge!("pulse_events_relayed").set(1.0);
            // Nothing for a while: perhaps nobody publishes. Or something is missing before the first.
            if entries.first().is_none_or(|entry| entry.position > position + 1) {
                while self.read().await? {}
            }
            let first = shared.lock().position + 1;
            let new = entries.into_iter().filter(|entry| entry.position >= first);
            let dense = new.zip(first..).take_while(|(entry, expected)| entry.position == *expected);
            let changes = dense.map(|(entry, _)| entry.change).collect();
            shared.take(changes);
        }
    }

    /// Reads the log itself, for ever or until `end`.
    async fn read_log(&self, end: Option<Instant>) {
        let store = self.tail.shared.store.clone();
        let mut listener = None;
        while end.is_none_or(|end| Instant::now() < end) {
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
            let sweep = end.map_or(sweep, |end| sweep.min(end.saturating_duration_since(Instant::now())));
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
