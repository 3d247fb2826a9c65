//! Publishes the log to Redis, in one process at a time.

use std::time::Duration;

use pulse_store::Store;
use pulse_types::ProcessId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{Relay, RelayError, Stream};
use crate::{Log, Tail};

/// How long a process keeps the right to publish without a sign of life.
const LEASE: Duration = Duration::from_secs(3);

/// Changes sent between two signs of life at most.
const BATCH: usize = 500;

/// The pause before Redis is tried again.
const PAUSE: Duration = Duration::from_millis(500);

/// Sends what is committed to a [`Relay`]. Any number may run; one at a time works.
#[derive(Debug)]
pub struct Publisher {
    relay: Relay,
    log: Log,
    /// Reads the log itself, not the relay.
    tail: Tail,
    me: ProcessId,
}

impl Publisher {
    /// A publisher of `store`'s log, whose end `tail` knows from the database.
    pub fn new(store: Store, tail: Tail, relay: Relay, me: ProcessId) -> Self {
        Self { relay, log: Log::new(store), tail, me }
    }

    /// Works until `stop`. While Redis does not answer, readers read the log themselves.
    pub async fn run(self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.work() => {}
        }
        if let Err(error) = self.release().await {
            tracing::debug!(%error, "the right to publish was not handed over; it runs out");
        }
    }

    async fn work(&self) {
        let mut failed = false;
        loop {
            if let Err(error) = self.publish().await
                && !failed
            {
                tracing::warn!(%error, "changes cannot be published; processes read the event log themselves");
            }
            failed = true;
            is_publisher(false);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Publishes for as long as Redis answers.
    async fn publish(&self) -> Result<(), RelayError> {
        let end = self.tail.position().await;
        let Some(cursor) = self.tail.cursor(end) else { return Ok(()) };
        let mut stream = Stream::connect(&self.relay, &cursor.log).await?;
        loop {
            is_publisher(false);
            while !stream.lead(self.me, LEASE).await? {
                tokio::time::sleep(LEASE / 3).await;
            }
            is_publisher(true);
            // What an empty stream leaves out, readers read from the log.
            let mut position = stream.last().await?.unwrap_or(self.tail.position().await);
            let mut since = Instant::now();
            loop {
                if since.elapsed() > LEASE / 3 {
                    if !stream.lead(self.me, LEASE).await? {
                        break;
                    }
                    since = Instant::now();
                }
                position = self.send(&mut stream, position).await?;
                tokio::select! {
                    () = self.tail.reaches(position + 1) => {}
                    () = tokio::time::sleep(LEASE / 3) => {}
                }
            }
        }
    }

    /// Sends a batch of what comes behind `position`; up to where that is.
    async fn send(&self, stream: &mut Stream, position: i64) -> Result<i64, RelayError> {
        let changes = if let Some(changes) = self.tail.remembered_after(position, BATCH) {
            changes
        } else {
            let read = self.log.after(position, i64::try_from(BATCH).unwrap_or(i64::MAX)).await;
            // The database is in trouble, which others say louder; this is tried again in a moment.
            read.unwrap_or_default().into_iter().map(Into::into).collect()
        };
        let Some(last) = changes.last().map(|change| change.position) else { return Ok(position) };
        stream.add(&changes).await?;
        metrics::counter!("pulse_events_published_total").increment(changes.len() as u64);
        Ok(last)
    }

    async fn release(&self) -> Result<(), RelayError> {
        let Some(cursor) = self.tail.cursor(0) else { return Ok(()) };
        Stream::connect(&self.relay, &cursor.log).await?.release(self.me).await
    }
}

/// Whether this process is the one that publishes.
fn is_publisher(publishes: bool) {
    metrics::gauge!("pulse_events_publisher").set(f64::from(u8::from(publishes)));
}
