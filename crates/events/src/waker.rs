//! Tells the sequencer and the workers of other processes that there is something to do.

use std::time::Duration;

use pulse_store::{JOBS_CHANNEL, Store};
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use tokio_util::sync::CancellationToken;

use crate::OUTBOX_CHANNEL;

/// At most one notification in this time: inside the writing transactions they would take turns on a global lock.
const COALESCE: Duration = Duration::from_millis(5);

/// Sends coalesced `NOTIFY`s for all commits of this process, on its own connection.
#[derive(Debug)]
pub struct Waker {
    store: Store,
    direct: PgConnectOptions,
}

impl Waker {
    /// A waker for the commits of `store`, which notifies over `direct`.
    pub const fn new(store: Store, direct: PgConnectOptions) -> Self {
        Self { store, direct }
    }

    /// Works until `stop`. A notification that cannot be sent is left to the sweeps of those whom it was for.
    pub async fn run(self, stop: CancellationToken) {
        let mut connection: Option<PgConnection> = None;
        loop {
            // What was committed before the stop is told of.
            let channel = tokio::select! {
                biased;
                () = self.store.committed().notified() => OUTBOX_CHANNEL,
                () = self.store.enqueued().notified() => JOBS_CHANNEL,
                () = self.store.cancelled().notified() => JOBS_CHANNEL,
                () = stop.cancelled() => return,
            };
            if connection.is_none() {
                connection = PgConnection::connect_with(&self.direct).await.ok();
            }
            if let Some(open) = &mut connection {
                let sent = sqlx::query("SELECT pg_notify($1, '')").bind(channel).execute(open).await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "a wake-up was not sent");
                    connection = None;
                }
            }
            tokio::time::sleep(COALESCE).await;
        }
    }
}
