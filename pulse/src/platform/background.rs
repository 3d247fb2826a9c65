//! What works behind the requests: the event log's sequencer and reader, consumer groups, jobs.

use std::sync::Arc;

use pulse_events::{GroupRunner, Publisher, Relay, Sequencer, Tail, TailReader, Waker};
use pulse_gateway::RedisConfig;
use pulse_graphql::Subgraph;
use pulse_jobs::{JobsConfig, Worker, WorkerOptions};
use pulse_store::Store;
use pulse_types::ProcessId;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{Database, upkeep};
use crate::settings::Settings;

/// Tasks that work until they are stopped.
pub struct Background {
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Background {
    /// Everything: sequencer, the log's reader, consumer groups, worker, services. For a process that plays every role,
    /// or that of the worker.
    pub fn start(
        store: &Store,
        database: &Database,
        (tail, reader): (&Tail, TailReader),
        subgraphs: &[Subgraph],
        settings: &Settings,
    ) -> Self {
        let mut background = Self { stop: CancellationToken::new(), tasks: JoinSet::new() };
        background.settle_looks(store);
        let stop = &background.stop;
        let sequencer = Sequencer::new(store.clone()).listening(database.direct().clone());
        background.tasks.spawn(sequencer.run(stop.clone()));
        background.tasks.spawn(reader.listening(database.direct().clone()).run(stop.clone()));
        background.tasks.spawn(worker(store, database, subgraphs, &settings.jobs).run(stop.clone()));
        let process = ProcessId::new(store.clock().now());
        if let Some(relay) = relay(&settings.gateway.redis) {
            let publisher = Publisher::new(store.clone(), tail.clone(), relay, process);
            background.tasks.spawn(publisher.run(stop.clone()));
        }
        for consumer in subgraphs.iter().flat_map(|subgraph| &subgraph.consumers) {
            let runner = GroupRunner::new(store.clone(), tail.clone(), Arc::clone(consumer), process);
            background.tasks.spawn(runner.run(stop.clone()));
        }
        for service in subgraphs.iter().flat_map(|subgraph| &subgraph.services) {
            background.tasks.spawn(Arc::clone(service).run(stop.clone()));
        }
        background
    }

    /// Wakes the sequencer of another process and reads the log, through Redis if there is one. For a process that serves a
    /// subgraph alone.
    pub fn of_subgraph(store: &Store, database: &Database, reader: TailReader, settings: &Settings) -> Self {
        let mut background = Self { stop: CancellationToken::new(), tasks: JoinSet::new() };
        background.settle_looks(store);
        let stop = &background.stop;
        let waker = Waker::new(store.clone(), database.direct().clone());
        background.tasks.spawn(waker.run(stop.clone()));
        let reader = reader.listening(database.direct().clone()).through(relay(&settings.gateway.redis));
        background.tasks.spawn(reader.run(stop.clone()));
        background
    }

    /// Has it written down how often privileged reads were repeated, the last time when everything else has ended.
    fn settle_looks(&mut self, store: &Store) {
        let (store, stop) = (store.clone(), self.stop.clone());
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = store.clone().keep_looks_settled() => {}
            }
            store.settle_looks(true).await;
        });
    }

    /// One more task, which ends when the others are told to stop.
    pub(crate) fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Tells the tasks to stop and waits for them: jobs that run have a while to end, the rest is given back.
    pub async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// How changes get from one process to the others, where a Redis is configured.
pub(super) fn relay(redis: &RedisConfig) -> Option<Relay> {
    let url = redis.url.expose();
    let relay = (!url.is_empty()).then(|| Relay::try_new(url, &redis.prefix))?;
    relay.map_err(|error| tracing::error!(%error, "Redis cannot be used")).ok()
}

fn worker(store: &Store, database: &Database, subgraphs: &[Subgraph], jobs: &JobsConfig) -> Worker {
    let handlers = subgraphs.iter().flat_map(|subgraph| subgraph.jobs.iter().map(Arc::clone));
    let schedules = subgraphs.iter().flat_map(|subgraph| subgraph.schedules.iter().cloned());
    Worker::new(store.clone(), handlers.chain(upkeep::handlers(jobs)), WorkerOptions::from(jobs))
        .listening(database.direct().clone())
        .scheduling(schedules.chain(upkeep::schedules()))
}
