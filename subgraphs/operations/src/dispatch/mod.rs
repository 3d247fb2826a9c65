//! Sends what is due.
//!
//! Each webhook has one row that says when its next delivery is due. A process takes a webhook's turn by a lease, sends a
//! few deliveries inside its tenant, and gives the turn back to the end of the line. So a receiver that is slow, or that
//! has much to get, holds up nobody but itself.

mod attempt;
pub(crate) mod payload;
mod publish;
pub(crate) mod repo;
mod slots;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures::StreamExt;
use pulse_graphql::Service;
use pulse_sealing::Sealer;
use pulse_store::{Store, StoreError};
use pulse_types::ProcessId;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use publish::Publisher;

use crate::config::WebhookConfig;
use crate::sending::{InvalidCaFile, Resolve, Sender};
use repo::{Due, Target, Turn};
use slots::Slots;

/// How long is waited at most before it is looked again whether something is due.
const IDLE: Duration = Duration::from_secs(10);

/// How long at least: what is due may be what this process may not send yet.
const PACE: Duration = Duration::from_millis(100);

/// How many deliveries a turn sends before it is another webhook's.
const PER_TURN: usize = 20;

/// How often deliveries are forgotten whose time has come, and how many in one transaction.
const UPKEEP: TimeDelta = TimeDelta::hours(1);
const FORGOTTEN_AT_ONCE: i64 = 5_000;

/// Sends what is due to the webhooks of one database.
pub struct Dispatcher {
    store: Store,
    config: Arc<WebhookConfig>,
    sealer: Sealer,
    sender: Sender,
    wake: Arc<Notify>,
}

impl Dispatcher {
    /// A dispatcher that opens signing secrets by `sealer`, finds receivers by `resolver`, and looks when `wake` is told.
    pub fn try_new(
        store: Store,
        config: Arc<WebhookConfig>,
        sealer: Sealer,
        resolver: Arc<dyn Resolve>,
        wake: Arc<Notify>,
    ) -> Result<Self, InvalidCaFile> {
        let sender = Sender::try_new(Arc::clone(&config), resolver)?;
        Ok(Self { store, config, sealer, sender, wake })
    }

    /// Sends what is due now, until nothing is; how many turns that took. For tests and one-shot upkeep.
    pub async fn drain(self: &Arc<Self>) -> Result<usize, StoreError> {
        let (mut running, mut turns) = (Running::new(&self.config), 0);
        loop {
            let (taken, _) = self.take(&mut running.slots).await?;
            turns += taken.len();
            running.start(self, taken);
            if !running.ended().await {
                return Ok(turns);
            }
        }
    }

    /// Deletes deliveries whose time has come.
    pub async fn forget(&self) -> Result<(), StoreError> {
        let keep = TimeDelta::from_std(self.config.keep_deliveries).unwrap_or(TimeDelta::MAX);
        let Some(before) = self.store.clock().now().checked_sub_signed(keep) else { return Ok(()) };
        loop {
            let mut connection = self.store.maintenance().await?;
            let gone = repo::forget(&mut connection, before, FORGOTTEN_AT_ONCE).await?;
            connection.commit().await?;
            if gone == 0 {
                return Ok(());
            }
        }
    }

    /// How long a turn lasts without a sign of life: longer than any attempt.
    fn lease(&self) -> TimeDelta {
        TimeDelta::from_std(self.config.timeout * 2 + Duration::from_secs(15)).unwrap_or(TimeDelta::MAX)
    }

    /// Takes turns as far as there is room, and says when the next one is due.
    async fn take(&self, slots: &mut Slots) -> Result<(Vec<Turn>, Option<DateTime<Utc>>), StoreError> {
        let free = slots.free();
        if free == 0 {
            return Ok((Vec::new(), None));
        }
        let now = self.store.clock().now();
        let mut connection = self.store.system().await?;
        // At rest, one statement says that there is nothing to take.
        let next = repo::next_due(&mut connection, slots.full()).await?;
        if next.is_none_or(|at| at > now) {
            return Ok((Vec::new(), next));
        }
        let (lease, holder) = ((now, self.lease()), ProcessId::new(now).uuid());
        let taken = repo::take(&mut connection, lease, holder, free, slots.full()).await?;
        let (admitted, refused): (Vec<_>, Vec<_>) = taken.into_iter().partition(|turn| slots.enter(turn));
        if !refused.is_empty() {
            repo::give_back(&mut connection, &refused).await?;
        }
        let next = repo::next_due(&mut connection, slots.full()).await?;
        connection.commit().await?;
        Ok((admitted, next))
    }

    /// Sends some of what is due to one webhook, a few at a time.
    async fn play(&self, turn: &Turn) -> Result<(), StoreError> {
        let at_once = self.config.concurrency_per_webhook.max(1);
        let mut sent = 0;
        while sent < PER_TURN {
            let Some((target, due)) = self.due(turn, at_once.min(PER_TURN - sent)).await? else {
                return Ok(());
            };
            let found = due.len();
            let attempts = due.into_iter().map(|due| self.attempt(turn, &target, due));
            let mut attempts = futures::stream::iter(attempts).buffer_unordered(at_once);
            while let Some(attempt) = attempts.next().await {
                attempt?;
            }
            sent += found;
            if found < at_once {
                break;
            }
        }
        let now = self.store.clock().now();
        let mut connection = repo::inside(&self.store, turn.tenant).await?;
        repo::end(&mut connection, turn, now).await?;
        if sent > 0 {
            repo::tell(&mut connection, turn.tenant, &[turn.webhook], now).await?;
        }
        connection.commit().await?;
        self.store.committed().notify_one();
        Ok(())
    }

    /// What is due, while the turn is this one's. A webhook that is paused or gone has nothing due.
    async fn due(&self, turn: &Turn, limit: usize) -> Result<Option<(Target, Vec<Due>)>, StoreError> {
        let now = self.store.clock().now();
        let mut connection = repo::inside(&self.store, turn.tenant).await?;
        if !repo::renew(&mut connection, turn, now + self.lease()).await? {
            return Ok(None);
        }
        let Some(target) = repo::target(&mut connection, turn.webhook).await? else {
            repo::end(&mut connection, turn, now).await?;
            connection.commit().await?;
            return Ok(None);
        };
        let due = repo::due(&mut connection, turn.webhook, now, limit).await?;
        connection.commit().await?;
        Ok(Some((target, due)))
    }

    async fn take_or_log(&self, slots: &mut Slots) -> (Vec<Turn>, Option<DateTime<Utc>>) {
        self.take(slots).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "what is due to webhooks cannot be found");
            (Vec::new(), None)
        })
    }

    /// How long to wait when nothing else tells that something is due.
    fn pause(&self, next: Option<DateTime<Utc>>) -> Duration {
        let until = next.map_or(IDLE, |at| (at - self.store.clock().now()).to_std().unwrap_or_default());
        until.clamp(PACE, IDLE)
    }
}

#[async_trait]
impl Service for Dispatcher {
    fn name(&self) -> &'static str {
        "operations.dispatch"
    }

    /// Sends until `stop`, then waits for the requests that are under way.
    async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut running = Running::new(&self.config);
        let mut swept = DateTime::<Utc>::MIN_UTC;
        while !stop.is_cancelled() {
            let now = self.store.clock().now();
            if now.signed_duration_since(swept) >= UPKEEP {
                swept = now;
                if let Err(error) = self.forget().await {
                    tracing::warn!(%error, "old deliveries were not deleted; it is tried again in an hour");
                }
            }
            let (taken, next) = self.take_or_log(&mut running.slots).await;
            running.start(&self, taken);
            tokio::select! {
                () = stop.cancelled() => break,
                true = running.ended() => {}
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.pause(next)) => {}
            }
        }
        while running.ended().await {}
    }
}

/// The turns that this process has.
struct Running {
    slots: Slots,
    tasks: JoinSet<()>,
    turns: HashMap<task::Id, Turn>,
}

impl Running {
    fn new(config: &WebhookConfig) -> Self {
        Self { slots: Slots::new(config), tasks: JoinSet::new(), turns: HashMap::new() }
    }

    fn start(&mut self, dispatcher: &Arc<Dispatcher>, turns: Vec<Turn>) {
        for turn in turns {
            let (dispatcher, own) = (Arc::clone(dispatcher), turn.clone());
            let task = self.tasks.spawn(async move {
                if let Err(error) = dispatcher.play(&own).await {
                    tracing::warn!(webhook = %own.webhook, %error, "a webhook's turn broke off; it is taken again when its lease has run out");
                }
            });
            self.turns.insert(task.id(), turn);
        }
    }

    /// Waits until one of them has ended, be it by a panic; false when there is none.
    async fn ended(&mut self) -> bool {
        let Some(ended) = self.tasks.join_next_with_id().await else { return false };
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "a webhook's turn broke off");
                error.id()
            }
        };
        if let Some(turn) = self.turns.remove(&id) {
            self.slots.leave(&turn);
        }
        true
    }
}
