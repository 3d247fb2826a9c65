//! Asking Neo4j, within limits of time.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use neo4rs::{ConfigBuilder, Graph, Neo4jErrorKind, Query, Txn};
use pulse_graphql::Helper;
use pulse_types::Secret;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

/// How long Neo4j is left alone by walks after it has not answered.
const LEFT_ALONE: Duration = Duration::from_secs(1);
/// How long a part of a write may take.
const WRITE_LIMIT: Duration = Duration::from_mins(1);
/// How long it may take until a write begins.
const BEGIN_LIMIT: Duration = Duration::from_secs(10);
/// Connections that write and compare. They are not those of walks, which are more impatient and may take all of theirs.
const WRITERS: usize = 2;

/// Where Neo4j is, and how patient to be.
#[derive(Debug, Clone)]
pub struct Neo4jOptions {
    /// `bolt://host:7687`, `bolt+s://…` for TLS.
    pub uri: String,
    /// The name to sign in with.
    pub user: String,
    /// Its password.
    pub password: Secret,
    /// How long a walk may take, connecting included.
    pub timeout: Duration,
    /// At most this many connections a process.
    pub max_connections: usize,
}

/// Why Neo4j did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Neo4jError {
    /// The server refused, or cannot be reached.
    #[error("Neo4j did not do it")]
    Failed(#[source] neo4rs::Error),
    /// It took too long.
    #[error("Neo4j did not answer within {} ms", .0.as_millis())]
    TimedOut(Duration),
    /// It answered with something else than what was asked for.
    #[error("Neo4j answered something that cannot be read")]
    Unreadable(#[source] neo4rs::DeError),
    /// Another process writes the copy now.
    #[error("another process has taken over the copy in Neo4j")]
    TakenOver,
}

impl Neo4jError {
    /// Whether it may be done when it is tried again at once, as after a deadlock.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Failed(neo4rs::Error::Neo4j(error)) if error.kind() == Neo4jErrorKind::Transient)
    }
}

impl From<neo4rs::Error> for Neo4jError {
    fn from(error: neo4rs::Error) -> Self {
        Self::Failed(error)
    }
}

/// A Neo4j server. Connects when it is first used; cheap to clone.
#[derive(Clone)]
pub struct Neo4j(Arc<Inner>);

struct Inner {
    walks: Graph,
    writes: Graph,
    timeout: Duration,
    left_alone_until: Mutex<Option<Instant>>,
    /// The name of the log that the copy is made of, once it was asked for.
    log: tokio::sync::OnceCell<String>,
}

impl std::fmt::Debug for Neo4j {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Neo4j").field("timeout", &self.0.timeout).finish_non_exhaustive()
    }
}

impl Neo4j {
    /// A server by its options; fails where the URI is none.
    pub fn try_new(options: &Neo4jOptions) -> Result<Self, Neo4jError> {
        // The driver takes the time for connecting also as that for each answer.
        let graph = |max_connections, timeout| {
            let config = ConfigBuilder::default()
                .uri(&options.uri)
                .user(&options.user)
                .password(options.password.expose())
                .max_connections(max_connections)
                .connection_timeout(timeout)
                .fetch_size(2_000)
                .build()?;
            Graph::connect(config)
        };
        let timeout = options.timeout;
        Ok(Self(Arc::new(Inner {
            walks: graph(options.max_connections, timeout)?,
            writes: graph(WRITERS, WRITE_LIMIT)?,
            timeout,
            left_alone_until: Mutex::default(),
            log: tokio::sync::OnceCell::new(),
        })))
    }

    /// Whether the server answers.
    pub async fn ping(&self) -> Result<(), Neo4jError> {
        let _: Vec<One> = self.read(Query::new("RETURN 1 AS one".to_owned()), self.deadline()).await?;
        Ok(())
    }

    /// The name of the log of `store`, which the copy is made of.
    pub(crate) async fn log_of(&self, store: &pulse_store::Store) -> Result<&str, pulse_store::StoreError> {
        let asked = async || Ok(pulse_events::Log::new(store.clone()).head().await?.name);
        self.0.log.get_or_try_init(asked).await.map(String::as_str)
    }

    /// Whether it is worth asking: it has not just failed to answer.
    pub(crate) fn is_worth_asking(&self) -> bool {
        let until = *self.0.left_alone_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_none_or(|until| until <= Instant::now())
    }

    /// Leaves it alone for a while.
    pub(crate) fn leave_alone(&self) {
        let until = Instant::now() + LEFT_ALONE;
        *self.0.left_alone_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// When a walk that begins now has to be over.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    /// All rows of a query of a walk that has to be over by then.
    pub(super) async fn read<T: DeserializeOwned>(
        &self,
        query: Query,
        deadline: Instant,
    ) -> Result<Vec<T>, Neo4jError> {
        // The server takes a time of nothing for one without an end.
        let limit = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let query = query.extra("tx_timeout", i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
        within(limit, rows(&self.0.walks, query)).await
    }

    /// All rows of a query that is not in a hurry.
    pub(super) async fn read_all<T: DeserializeOwned>(&self, query: Query) -> Result<Vec<T>, Neo4jError> {
        within(WRITE_LIMIT, rows(&self.0.writes, query)).await
    }

    /// The same for a query that reads more than should be in memory at once.
    pub(super) async fn read_each<T: DeserializeOwned>(
        &self,
        query: Query,
        mut row: impl FnMut(T),
    ) -> Result<(), Neo4jError> {
        let mut stream = within(WRITE_LIMIT, async { Ok(self.0.writes.execute_read(query).await?) }).await?;
        while let Some(next) = within(WRITE_LIMIT, async { Ok(stream.next().await?) }).await? {
            row(next.to().map_err(Neo4jError::Unreadable)?);
        }
        Ok(())
    }

    /// Begins a transaction that is tried once.
    pub(super) async fn begin(&self) -> Result<Writing, Neo4jError> {
        within(BEGIN_LIMIT, async { Ok(Writing(self.0.writes.start_txn().await?)) }).await
    }

    /// Runs a statement in a transaction of its own, as changes of the schema have to be.
    pub(super) async fn alone(&self, statement: String) -> Result<(), Neo4jError> {
        let mut writing = self.begin().await?;
        writing.run(Query::new(statement)).await?;
        writing.commit().await
    }
}

async fn rows<T: DeserializeOwned>(graph: &Graph, query: Query) -> Result<Vec<T>, Neo4jError> {
    let mut stream = graph.execute_read(query).await?;
    let mut rows = Vec::new();
    while let Some(row) = stream.next().await? {
        rows.push(row.to().map_err(Neo4jError::Unreadable)?);
    }
    Ok(rows)
}

#[async_trait]
impl Helper for Neo4j {
    fn name(&self) -> &'static str {
        "neo4j"
    }

    async fn check(&self) -> Result<(), String> {
        self.ping().await.map_err(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "Neo4j is not ready");
            "Neo4j does not answer: walks go through PostgreSQL".to_owned()
        })
    }
}

#[derive(serde::Deserialize)]
struct One {
    #[expect(dead_code, reason = "that it is there is the answer")]
    one: i64,
}

/// A transaction that writes. Dropped without [`Writing::commit`], it comes to nothing.
pub(super) struct Writing(Txn);

impl Writing {
    pub(super) async fn run(&mut self, query: Query) -> Result<(), Neo4jError> {
        within(WRITE_LIMIT, async { Ok(self.0.run(query).await.map(drop)?) }).await
    }

    /// The rows of a query.
    pub(super) async fn rows<T: DeserializeOwned>(&mut self, query: Query) -> Result<Vec<T>, Neo4jError> {
        within(WRITE_LIMIT, async {
            let mut stream = self.0.execute(query).await?;
            let mut rows = Vec::new();
            while let Some(row) = stream.next(self.0.handle()).await? {
                rows.push(row.to().map_err(Neo4jError::Unreadable)?);
            }
            Ok(rows)
        })
        .await
    }

    pub(super) async fn commit(self) -> Result<(), Neo4jError> {
        within(WRITE_LIMIT, async { Ok(self.0.commit().await.map(drop)?) }).await
    }
}

/// The driver's futures are large, so they are boxed for all who wait for them.
fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, Neo4jError>>,
) -> impl Future<Output = Result<T, Neo4jError>> {
    let asked = tokio::time::timeout(limit, Box::pin(asked));
    async move { asked.await.unwrap_or(Err(Neo4jError::TimedOut(limit))) }
}
