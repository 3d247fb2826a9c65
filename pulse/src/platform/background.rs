//! What works behind the requests: the event log's sequencer and reader, jobs, upkeep.

use std::sync::Arc;
use std::time::Duration;

use pulse_events::{GroupRunner, Retention, Sequencer, Tail, TailReader, Waker};
use pulse_graphql::Subgraph;
use pulse_jobs::{Worker, WorkerOptions};
use pulse_store::{Store, StoreError};
use pulse_types::ProcessId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Database;

/// How often partitions are looked after and what has expired is deleted.
const UPKEEP: Duration = Duration::from_hours(1);

/// What upkeep does, each by itself, so that one that fails holds up no other. Partitions are made a month ahead.
const CHORES: [(&str, &str); 3] = [
    ("upkeep.audit", "SELECT platform.ensure_month_partitions('platform.audit', 1)"),
    ("upkeep.analytics", "SELECT analytics.make_month((now() + interval '1 month')::date)"),
    ("upkeep.idempotency", "DELETE FROM platform.idempotency WHERE at < now() - interval '1 day'"),
];

/// Tasks that work until they are stopped.
pub struct Background {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Background {
    /// Everything: sequencer, the log's reader, consumer groups, worker, upkeep. For a process that plays every role, or that of the worker.
    pub fn start(
        store: &Store,
        database: &Database,
        (tail, reader): (&Tail, TailReader),
        subgraphs: &[Subgraph],
    ) -> Self {
        let mut background = Self { stop: CancellationToken::new(), tasks: JoinSet::new() };
        let stop = &background.stop;
        let sequencer = Sequencer::new(store.clone()).listening(database.direct().clone());
        background.tasks.spawn(sequencer.run(stop.clone()));
        background.tasks.spawn(reader.listening(database.direct().clone()).run(stop.clone()));
        let handlers = subgraphs.iter().flat_map(|subgraph| subgraph.jobs.iter().map(Arc::clone));
        let worker = Worker::new(store.clone(), handlers, WorkerOptions::default());
        background.tasks.spawn(worker.run(stop.clone()));
        let process = ProcessId::new(store.clock().now());
        for consumer in subgraphs.iter().flat_map(|subgraph| &subgraph.consumers) {
            let runner = GroupRunner::new(store.clone(), tail.clone(), Arc::clone(consumer), process);
            background.tasks.spawn(runner.run(stop.clone()));
        }
        background.tasks.spawn(upkeep(store.clone(), stop.clone()));
        background
    }

    /// Wakes the sequencer of another process and reads the log. For a process that serves a subgraph alone.
    pub fn of_subgraph(store: &Store, database: &Database, reader: TailReader) -> Self {
        let mut background = Self { stop: CancellationToken::new(), tasks: JoinSet::new() };
        let stop = &background.stop;
        let waker = Waker::new(store.clone(), database.direct().clone());
        background.tasks.spawn(waker.run(stop.clone()));
        background.tasks.spawn(reader.listening(database.direct().clone()).run(stop.clone()));
        background
    }

    /// Tells the tasks to stop and waits for them: a job that runs is finished.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How long the event log keeps what was committed: whoever was away for longer reads again by a query.
const LOG_RETENTION: Retention = Retention { keep: Duration::from_hours(7 * 24) };

async fn upkeep(store: Store, stop: CancellationToken) {
    while !stop.is_cancelled() {
        if let Err(error) = LOG_RETENTION.apply(&store).await {
            tracing::warn!(chore = "upkeep.log", %error, "upkeep failed; it is tried again in an hour");
        }
        for (name, statement) in CHORES {
            if let Err(error) = chore(&store, name, statement).await {
                tracing::warn!(chore = name, %error, "upkeep failed; it is tried again in an hour");
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(UPKEEP) => {}
        }
    }
}

async fn chore(store: &Store, name: &'static str, statement: &'static str) -> Result<(), StoreError> {
    let mut connection = store.maintenance().await?;
    connection.execute(name, sqlx::query(statement)).await?;
    connection.commit().await
}
