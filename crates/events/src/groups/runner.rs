//! Reads for one group.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use pulse_store::{Connection, Store, StoreError};
use pulse_types::{Change, DeadLetterId, ProcessId};
use rand::Rng;
use tokio_util::sync::CancellationToken;

use super::{Begin, Consumer, ConsumerError, Handling};
use crate::{Log, Tail};

const TAKE: &str = include_str!("../queries/take_group.sql");

/// How a group reads.
#[derive(Debug, Clone)]
pub struct GroupOptions {
    /// Changes handled in one transaction at most.
    pub batch: usize,
    /// How long a process keeps a group without a sign of life. It gives one at half of that.
    pub lease: Duration,
    /// How often a change is tried before it goes to the dead letters.
    pub attempts: i32,
    /// The pause before the second attempt; each further one is twice as long.
    pub backoff: Duration,
    /// No pause is longer.
    pub max_backoff: Duration,
}

impl Default for GroupOptions {
    fn default() -> Self {
        Self {
            batch: 500,
            lease: Duration::from_mins(1),
            attempts: 8,
            backoff: Duration::from_secs(1),
            max_backoff: Duration::from_mins(5),
        }
    }
}

/// What one step of a group did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Another process reads for the group.
    NotOurs,
    /// There was nothing that it wants.
    Idle,
    /// So many changes were handled.
    Handled(usize),
    /// A change failed; it is tried again at this time.
    Waiting(DateTime<Utc>),
    /// A change failed for the last time and is among the dead letters.
    DeadLettered,
}

/// Reads the log for one group, as long as no other process does.
pub struct GroupRunner {
    store: Store,
    tail: Tail,
    consumer: Arc<dyn Consumer>,
    options: GroupOptions,
    /// Names this process in the lease.
    me: ProcessId,
    held: Option<Held>,
}

/// A group that this process reads for.
struct Held {
    /// Everything up to here is done.
    position: i64,
    /// How often the next change failed.
    attempts: i32,
    retry_at: Option<DateTime<Utc>>,
    /// When the lease was taken or renewed.
    since: DateTime<Utc>,
    /// Up to here changes are handled one by one, because one of them fails.
    singly_to: i64,
}

/// The group was taken by another process.
struct Lost;

enum Failure {
    Lost(Lost),
    Change(ConsumerError),
}

impl GroupRunner {
    /// A runner for `consumer`'s group. `me` names this process among those that may read for it.
    pub fn new(store: Store, tail: Tail, consumer: Arc<dyn Consumer>, me: ProcessId) -> Self {
        Self { store, tail, consumer, options: GroupOptions::default(), me, held: None }
    }

    /// With other than the usual options.
    #[must_use]
    pub fn options(self, options: GroupOptions) -> Self {
        Self { options, ..self }
    }

    /// Works until `stop`, and then lets another process go on at once.
    pub async fn run(mut self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let pause = match self.step().await {
                Ok(Step::Handled(_) | Step::DeadLettered) => continue,
                Ok(Step::Idle | Step::NotOurs) => self.options.lease / 2,
                Ok(Step::Waiting(until)) => (until - self.store.clock().now()).to_std().unwrap_or_default(),
                Err(error) => {
                    tracing::warn!(group = self.consumer.name(), %error, "a consumer group cannot go on; it is tried again");
                    self.held = None;
                    self.options.backoff
                }
            };
            let next =
                self.held.as_ref().filter(|held| held.retry_at.is_none()).map(|held| held.position + 1);
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.reached(next) => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        if let Err(error) = self.release().await {
            tracing::debug!(%error, "a consumer group was not handed over; its lease runs out");
        }
    }

    /// Takes or keeps the group, and handles one batch.
    pub async fn step(&mut self) -> Result<Step, StoreError> {
        if !self.keep().await? {
            return Ok(Step::NotOurs);
        }
        let Some(held) = &self.held else { return Ok(Step::NotOurs) };
        if let Some(at) = held.retry_at.filter(|at| *at > self.store.clock().now()) {
            return Ok(Step::Waiting(at));
        }
        let limit = if held.position < held.singly_to { 1 } else { self.options.batch };
        let (changes, upto) = self.read(held.position, limit).await?;
        if changes.is_empty() {
            // Stored with the next sign of life: a statement for nothing would be one a commit.
            if let Some(held) = &mut self.held {
                held.position = upto;
            }
            return Ok(Step::Idle);
        }
        match self.handle(&changes, upto).await {
            Ok(()) => Ok(Step::Handled(changes.len())),
            Err(Failure::Lost(Lost)) => {
                self.held = None;
                Ok(Step::NotOurs)
            }
            Err(Failure::Change(ConsumerError::Store(
                error @ (StoreError::Unavailable { .. } | StoreError::Contention { .. }),
            ))) => Err(error),
            Err(Failure::Change(error)) => self.failed(&changes, upto, &error).await,
        }
    }

    /// Whether the group is this process's, taken or renewed when it is time.
    async fn keep(&mut self) -> Result<bool, StoreError> {
        let now = self.store.clock().now();
        let half = TimeDelta::from_std(self.options.lease / 2).unwrap_or(TimeDelta::MAX);
        if self.held.as_ref().is_some_and(|held| now - held.since < half) {
            return Ok(true);
        }
        let mut connection = self.store.system().await?;
        let name = self.consumer.name();
        let begin = match self.consumer.begin() {
            Begin::Oldest => "oldest - 1",
            Begin::Now => "position",
        };
        if self.held.is_none() {
            let statement = format!(
                "INSERT INTO platform.consumers (name, position) SELECT $1, {begin} FROM platform.log_head ON CONFLICT DO NOTHING"
            );
            let insert = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(name);
            connection.execute("consumers.begin", insert).await?;
        }
        let take = sqlx::query_as::<_, (i64, i32, Option<DateTime<Utc>>, bool)>(TAKE)
            .bind(name)
            .bind(self.me)
            .bind(now)
            .bind(self.options.lease.as_secs_f64())
            .bind(self.held.as_ref().map(|held| held.position));
        let taken = connection.fetch_optional("consumers.take", take).await?;
        connection.commit().await?;
        let singly_to = self.held.as_ref().map_or(0, |held| held.singly_to);
        let has_retries = taken.as_ref().is_some_and(|(.., retries)| *retries);
        self.held = taken.map(|(position, attempts, retry_at, _)| Held {
            position,
            attempts,
            retry_at,
            since: now,
            singly_to,
        });
        if has_retries {
            self.retry_dead_letters().await?;
        }
        Ok(self.held.is_some())
    }

    /// Up to `limit` changes after `position` that the group wants, and how far that is.
    async fn read(&self, position: i64, limit: usize) -> Result<(Vec<Arc<Change>>, i64), StoreError> {
        let page = i64::try_from(self.options.batch).unwrap_or(i64::MAX);
        let read = if let Some(read) = self.tail.remembered_after(position, self.options.batch) {
            read
        } else {
            let read = Log::new(self.store.clone()).after(position, page).await?;
            read.into_iter().map(Arc::new).collect()
        };
        let mut upto = read.last().map_or(position, |last| last.position);
        let mut wanted: Vec<_> = read.into_iter().filter(|change| self.consumer.wants(change)).collect();
        if wanted.len() > limit {
            wanted.truncate(limit);
            upto = wanted.last().map_or(upto, |last| last.position);
        }
        Ok((wanted, upto))
    }

    /// Handles changes and moves the group's position, in one transaction.
    async fn handle(&mut self, changes: &[Arc<Change>], upto: i64) -> Result<(), Failure> {
        let fail = |error: StoreError| Failure::Change(error.into());
        let mut connection = self.store.system().await.map_err(fail)?;
        self.fence(&mut connection).await?;
        let handed: Vec<&Change> = changes.iter().map(|change| &**change).collect();
        let mut handling = Handling::new(&mut connection);
        self.consumer.handle(&handed, &mut handling).await.map_err(Failure::Change)?;
        handling.system().await.map_err(fail)?;
        self.moved(&mut connection, upto).await.map_err(fail)?;
        connection.commit().await.map_err(fail)?;
        self.consumer.committed();
        self.advance(upto);
        let lag = self.store.clock().now() - changes[changes.len() - 1].at;
        metrics::histogram!("pulse_consumer_lag_seconds", "group" => self.consumer.name())
            .record(lag.to_std().unwrap_or_default().as_secs_f64());
        metrics::counter!("pulse_consumer_changes_total", "group" => self.consumer.name())
            .increment(changes.len() as u64);
        Ok(())
    }

    /// Holds the group's row until the transaction ends: nobody takes the group meanwhile.
    async fn fence(&self, connection: &mut Connection) -> Result<(), Failure> {
        let held = self.held.as_ref().map_or(0, |held| held.position);
        let fence = sqlx::query_as::<_, (i64,)>(
            "SELECT position FROM platform.consumers WHERE name = $1 AND holder = $2 AND position <= $3 FOR UPDATE",
        );
        let fence = fence.bind(self.consumer.name()).bind(self.me).bind(held);
        let ours = connection.fetch_optional("consumers.fence", fence).await;
        let ours = ours.map_err(|error| Failure::Change(error.into()))?;
        ours.map(drop).ok_or(Failure::Lost(Lost))
    }

    async fn moved(&self, connection: &mut Connection, upto: i64) -> Result<(), StoreError> {
        let moved = sqlx::query(
            "UPDATE platform.consumers SET position = $2, attempts = 0, retry_at = NULL, error = NULL WHERE name = $1",
        );
        connection.execute("consumers.move", moved.bind(self.consumer.name()).bind(upto)).await.map(drop)
    }

    fn advance(&mut self, upto: i64) {
        if let Some(held) = &mut self.held {
            (held.position, held.attempts, held.retry_at) = (upto, 0, None);
        }
    }

    /// Finds the one that fails; tries it again later, or gives it up.
    async fn failed(
        &mut self,
        changes: &[Arc<Change>],
        upto: i64,
        error: &ConsumerError,
    ) -> Result<Step, StoreError> {
        let group = self.consumer.name();
        let Some(held) = &mut self.held else { return Ok(Step::NotOurs) };
        if changes.len() > 1 {
            held.singly_to = upto;
            return Ok(Step::Waiting(self.store.clock().now()));
        }
        let change = &changes[0];
        held.attempts += 1;
        let attempts = held.attempts;
        tracing::warn!(group, position = change.position, attempts, %error, "a change cannot be handled");
        let now = self.store.clock().now();
        let mut connection = self.store.system().await?;
        if attempts >= self.options.attempts || matches!(error, ConsumerError::Fatal(_)) {
            let bury = sqlx::query(include_str!("../queries/bury.sql"))
                .bind(DeadLetterId::new(now))
                .bind(group)
                .bind(change.position)
                .bind(change.tenant)
                .bind(sqlx::types::Json(&**change))
                .bind(attempts)
                .bind(error.shown())
                .bind(now);
            connection.execute("dead_letters.bury", bury).await?;
            self.moved(&mut connection, upto).await?;
            connection.commit().await?;
            self.advance(upto);
            metrics::counter!("pulse_consumer_dead_letters_total", "group" => group).increment(1);
            return Ok(Step::DeadLettered);
        }
        let retry_at = now + self.pause(attempts);
        let record = sqlx::query(
            "UPDATE platform.consumers SET attempts = $3, retry_at = $4, error = $5 WHERE name = $1 AND holder = $2",
        );
        let record = record.bind(group).bind(self.me).bind(attempts).bind(retry_at).bind(error.to_string());
        connection.execute("consumers.failed", record).await?;
        connection.commit().await?;
        if let Some(held) = &mut self.held {
            held.retry_at = Some(retry_at);
        }
        Ok(Step::Waiting(retry_at))
    }

    /// Tries once more what somebody has asked for. Those that fail again stay dead.
    async fn retry_dead_letters(&self) -> Result<(), StoreError> {
        loop {
            let mut connection = self.store.system().await?;
            let next = sqlx::query_as::<_, (DeadLetterId, sqlx::types::Json<Change>)>(
                "SELECT id, event FROM platform.dead_letters WHERE consumer = $1 AND retry ORDER BY position LIMIT 1 FOR UPDATE",
            );
            let next =
                connection.fetch_optional("dead_letters.next", next.bind(self.consumer.name())).await?;
            let Some((id, sqlx::types::Json(change))) = next else { return Ok(()) };
            let mut handling = Handling::new(&mut connection);
            let outcome = self.consumer.handle(&[&change], &mut handling).await;
            if let Err(error) = outcome {
                drop(connection);
                self.still_dead(id, &error).await?;
                continue;
            }
            handling.system().await?;
            let gone = sqlx::query("DELETE FROM platform.dead_letters WHERE id = $1").bind(id);
            connection.execute("dead_letters.revived", gone).await?;
            connection.commit().await?;
            self.consumer.committed();
        }
    }

    async fn still_dead(&self, id: DeadLetterId, error: &ConsumerError) -> Result<(), StoreError> {
        let mut connection = self.store.system().await?;
        let update = sqlx::query(
            "UPDATE platform.dead_letters SET retry = false, attempts = attempts + 1, error = $2 WHERE id = $1",
        );
        connection.execute("dead_letters.again", update.bind(id).bind(error.shown())).await?;
        connection.commit().await
    }

    async fn release(&self) -> Result<(), StoreError> {
        let Some(held) = &self.held else { return Ok(()) };
        let mut connection = self.store.system().await?;
        let release = sqlx::query(
            "UPDATE platform.consumers SET holder = NULL, lease_until = NULL, position = greatest(position, $3) WHERE name = $1 AND holder = $2",
        );
        let release = release.bind(self.consumer.name()).bind(self.me).bind(held.position);
        connection.execute("consumers.release", release).await?;
        connection.commit().await
    }

    async fn reached(&self, position: Option<i64>) {
        match position {
            Some(position) => self.tail.reaches(position).await,
            None => std::future::pending().await,
        }
    }

    /// Doubling, with jitter of a half, bounded.
    fn pause(&self, attempts: i32) -> Duration {
        let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(20);
        let full = self.options.backoff.saturating_mul(1 << doublings).min(self.options.max_backoff);
        full.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}
