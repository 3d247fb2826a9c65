//! The pool, and what is opened from it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use pulse_cache::Cache;
use pulse_types::{Caller, Clock};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use tokio::sync::Notify;

use crate::looks::Looks;
use crate::to_its_end::to_its_end;
use crate::{Connection, KeptAddress, Session, Statistics, StoreError, sight};

/// The channel on which other processes are told that there are jobs to claim or to give up.
pub const JOBS_CHANNEL: &str = "pulse_jobs";

/// How many connections, and how long to wait.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// At most this many connections.
    pub max_connections: u32,
    /// How long a request waits for a free connection.
    pub acquire_timeout: Duration,
    /// How long a statement of a request may run.
    pub statement_timeout: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// A database that Pulse keeps its data in. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
    clock: Clock,
    statistics: Arc<Statistics>,
    signals: Arc<Signals>,
    cache: Option<Cache>,
    kept_address: Arc<KeptAddress>,
    looks: Arc<Looks>,
    statement_timeout_ms: u128,
}

/// What those in this process who wait for others are told.
#[derive(Debug, Default)]
struct Signals {
    committed: Notify,
    sequenced: Notify,
    enqueued: Notify,
    cancelled: Notify,
}

/// As whom a transaction runs.
#[derive(Debug, Clone, Copy)]
enum Login<'a> {
    App { access: &'a str, caller: &'a Caller },
    System,
    Sequencer,
    Worker,
    Maintenance,
    Privacy,
}

impl Store {
    /// A store over a pool that connects when it is first used.
    pub fn new(connect: PgConnectOptions, options: &PoolOptions, clock: Clock) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // A broken connection is found by the statement that opens a transaction, which is then tried again:
            // asking beforehand would cost each request a round trip.
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        Self {
            pool,
            clock,
            statistics: Arc::default(),
            signals: Arc::default(),
            cache: None,
            kept_address: Arc::default(),
            looks: Arc::default(),
            statement_timeout_ms: options.statement_timeout.as_millis(),
        }
    }

    /// The same store, whose sessions may keep in `cache` what they read, and whose writes say there what they have changed.
    #[must_use]
    pub fn cached(self, cache: Cache) -> Self {
        Self { cache: Some(cache), ..self }
    }

    /// The same store, whose audit facts keep addresses in this way.
    #[must_use]
    pub fn keeping(self, addresses: KeptAddress) -> Self {
        Self { kept_address: Arc::new(addresses), ..self }
    }

    pub(crate) fn kept_address(&self) -> &KeptAddress {
        &self.kept_address
    }

    pub(crate) fn looks(&self) -> &Looks {
        &self.looks
    }

    /// Where what was read is kept, if anywhere.
    pub const fn cache(&self) -> Option<&Cache> {
        self.cache.as_ref()
    }

    /// A session for one request of `caller`. Opens nothing yet.
    pub fn session(&self, caller: Arc<Caller>) -> Session {
        Session::new(self.clone(), caller)
    }

    /// A transaction on platform tables, across tenants, for sequencers and workers.
    pub async fn system(&self) -> Result<Connection, StoreError> {
        self.open(Login::System).await
    }

    /// A transaction that moves events to the log. The outbox is emptied faster than statistics of it are taken, and a look
    /// at it by anything but its index would go over all that was moved since the last vacuum.
    pub async fn sequencer(&self) -> Result<Connection, StoreError> {
        self.open(Login::Sequencer).await
    }

    /// A transaction on jobs, as [`Store::system`]. The queue grows and shrinks faster than statistics of it are taken, so
    /// its indexes are always preferred and its few large statements planned once; and its commit is not waited for on disk:
    /// a worker's step that is lost with the server is done again, as everything of a job may be.
    pub async fn worker(&self) -> Result<Connection, StoreError> {
        self.open(Login::Worker).await
    }

    /// A transaction that may make partitions and vector indexes and delete what has expired.
    pub async fn maintenance(&self) -> Result<Connection, StoreError> {
        self.open(Login::Maintenance).await
    }

    /// A transaction that reads, changes and deletes what is stored about persons, in whatever tenant. For exporting and
    /// erasing one of them, and for finding what is sealed with a key of before.
    pub async fn privacy(&self) -> Result<Connection, StoreError> {
        self.open(Login::Privacy).await
    }

    /// Where this store takes the time from.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What was counted since the start.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Told after each commit of a [`crate::Write`] in this process.
    pub fn committed(&self) -> &Notify {
        &self.signals.committed
    }

    /// Told when this process has moved events to the log.
    pub fn sequenced(&self) -> &Notify {
        &self.signals.sequenced
    }

    /// Told after each commit in this process that may have given workers something to do.
    pub fn enqueued(&self) -> &Notify {
        &self.signals.enqueued
    }

    /// Told after each commit in this process that asks for a running job to be given up.
    pub fn cancelled(&self) -> &Notify {
        &self.signals.cancelled
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut connection = self.system().await?;
        connection.execute("ping", sqlx::query("SELECT 1")).await.map(drop)
    }

    /// Closes the connections; waits for those in use.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn read(&self, caller: &Caller) -> Result<Connection, StoreError> {
        let access = "ISOLATION LEVEL REPEATABLE READ READ ONLY";
        self.open(Login::App { access, caller }).await
    }

    pub(crate) async fn begin_write(&self, caller: &Caller) -> Result<Connection, StoreError> {
        self.open(Login::App { access: "READ WRITE", caller }).await
    }

    async fn open(&self, login: Login<'_>) -> Result<Connection, StoreError> {
        let statement = self.begin_statement(login);
        // A pool full of connections that the server has cut is emptied by trying as often as it is large.
        let mut tries = self.pool.size() + 1;
        loop {
            let (pool, statement) = (self.pool.clone(), statement.clone());
            // Given up half-way, it would leave an open transaction to whoever gets the connection next.
            let begun = to_its_end(async move { pool.begin_with(AssertSqlSafe(statement)).await });
            match begun.await {
                Ok(transaction) => return Ok(Connection::new(transaction, Arc::clone(&self.statistics))),
                Err(error) => {
                    tries -= 1;
                    let cut = matches!(&error, sqlx::Error::Io(_))
                        || error.as_database_error().is_some_and(|e| e.code().as_deref() == Some("57P01"));
                    if !cut || tries == 0 {
                        return Err(StoreError::classify("begin", error));
                    }
                }
            }
        }
    }

    /// All that opens a transaction, for one round trip. Only ids, which are safe to print, go into the text.
    fn begin_statement(&self, login: Login<'_>) -> String {
        let mut sql = String::with_capacity(256);
        let written = match login {
            Login::App { access, caller } => {
                let org = caller.org.map(|org| org.to_string()).unwrap_or_default();
                let user = caller.user().map(|user| user.to_string()).unwrap_or_default();
                let role = if caller.is_narrowed() { "pulse_narrowed" } else { "pulse_app" };
                write!(
                    sql,
                    "BEGIN {access}; SET LOCAL ROLE {role}; SET LOCAL pulse.org_id = '{org}'; \
                     SET LOCAL pulse.user_id = '{user}'; SET LOCAL statement_timeout = {}",
                    self.statement_timeout_ms
                )
                .and_then(|()| sight::push_settings(&mut sql, caller))
            }
            Login::System => write!(sql, "BEGIN; SET LOCAL ROLE pulse_system"),
            Login::Sequencer => write!(
                sql,
                "BEGIN; SET LOCAL ROLE pulse_system; SET LOCAL enable_seqscan = off; \
                 SET LOCAL plan_cache_mode = force_generic_plan"
            ),
            Login::Worker => write!(
                sql,
                "BEGIN; SET LOCAL ROLE pulse_system; SET LOCAL enable_seqscan = off; \
                 SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL synchronous_commit = off"
            ),
            Login::Maintenance => write!(sql, "BEGIN; SET LOCAL ROLE pulse_maintenance"),
            Login::Privacy => write!(sql, "BEGIN; SET LOCAL ROLE pulse_privacy"),
        };
        written.expect("writing to a String cannot fail");
        sql
    }
}
