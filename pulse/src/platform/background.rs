//! What works behind the requests: the event log's sequencer and reader, consumer groups, jobs.

use std::sync::Arc;

use pulse_events::{GroupRunner, Sequencer, Tail, TailReader, Waker};
use pulse_graphql::Subgraph;
use pulse_jobs::{JobsConfig, Worker, WorkerOptions};
use pulse_store::Store;
use pulse_types::ProcessId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Database, upkeep};

/// Tasks that work until they are stopped.
pub struct Background {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Background {
    /// Everything: sequencer, the log's reader, consumer groups, worker. For a process that plays every role, or that of
    /// the worker.
    pub fn start(
        store: &Store,
        database: &Database,
        (tail, reader): (&Tail, TailReader),
        subgraphs: &[Subgraph],
        jobs: &JobsConfig,
    ) -> Self {
        let mut background = Self { stop: CancellationToken::new(), tasks: JoinSet::new() };
        let stop = &background.stop;
        let sequencer = Sequencer::new(store.clone()).listening(database.direct().clone());
        background.tasks.spawn(sequencer.run(stop.clone()));
        background.tasks.spawn(reader.listening(database.direct().clone()).run(stop.clone()));
        background.tasks.spawn(worker(store, database, subgraphs, jobs).run(stop.clone()));
        let process = ProcessId::new(store.clock().now());
        for consumer in subgraphs.iter().flat_map(|subgraph| &subgraph.consumers) {
            let runner = GroupRunner::new(store.clone(), tail.clone(), Arc::clone(consumer), process);
            background.tasks.spawn(runner.run(stop.clone()));
        }
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

    /// Tells the tasks to stop and waits for them: jobs that run have a while to end, the rest is given back.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

fn worker(store: &Store, database: &Database, subgraphs: &[Subgraph], jobs: &JobsConfig) -> Worker {
    let handlers = subgraphs.iter().flat_map(|subgraph| subgraph.jobs.iter().map(Arc::clone));
    let schedules = subgraphs.iter().flat_map(|subgraph| subgraph.schedules.iter().cloned());
    Worker::new(store.clone(), handlers.chain(upkeep::handlers(jobs)), WorkerOptions::from(jobs))
        .listening(database.direct().clone())
        .scheduling(schedules.chain(upkeep::schedules()))
}
