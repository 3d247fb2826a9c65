//! A worker process whose jobs do nothing, and which says what it has done to whoever connects.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::Context;
use async_trait::async_trait;
use pulse_bench_harness::child::{Server, announce};
use pulse_events::Sequencer;
use pulse_jobs::{Job, JobContext, JobError, JobHandler, JobsConfig, Worker, WorkerOptions};
use pulse_store::{PoolOptions, Store};
use pulse_types::Clock;
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::queue::KIND;

/// What a worker has done so far.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) done: u64,
    pub(crate) statements: u64,
    /// From just before the commit to the start, in microseconds; of jobs that say when they were enqueued.
    pub(crate) latencies: Vec<u64>,
}

#[derive(Default)]
struct Nothing {
    done: AtomicU64,
    latencies: Mutex<Vec<u64>>,
}

#[async_trait]
impl JobHandler for Nothing {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        self.done.fetch_add(1, Ordering::Relaxed);
        if let Some(at) = job.payload["at"].as_i64() {
            let latency = context.store().clock().now().timestamp_micros() - at;
            let mut latencies = self.latencies.lock().expect("nobody panics with it");
            latencies.push(u64::try_from(latency).unwrap_or(0));
        }
        Ok(())
    }
}

pub(crate) async fn serve(database: &str, concurrency: u16) -> anyhow::Result<()> {
    let options = PgConnectOptions::from_str(database)?;
    let store = Store::new(options.clone(), &PoolOptions::default(), Clock::system());
    let handler = Arc::new(Nothing::default());
    let config = JobsConfig { concurrency, ..JobsConfig::default() };
    let handlers = [Arc::clone(&handler) as Arc<dyn JobHandler>];
    let worker =
        Worker::new(store.clone(), handlers, WorkerOptions::from(&config)).listening(options.clone());
    tokio::spawn(worker.run(CancellationToken::new()));
    tokio::spawn(Sequencer::new(store.clone()).listening(options).run(CancellationToken::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    announce(listener.local_addr()?);
    loop {
        let (mut asked, _) = listener.accept().await?;
        let report = Report {
            done: handler.done.load(Ordering::Relaxed),
            statements: store.statistics().statements(),
            latencies: handler.latencies.lock().expect("nobody panics with it").clone(),
        };
        asked.write_all(&serde_json::to_vec(&report)?).await?;
    }
}

/// What all workers have done together.
pub(crate) async fn reports(workers: &[Server]) -> anyhow::Result<Report> {
    let mut all = Report::default();
    for worker in workers {
        let mut text = Vec::new();
        TcpStream::connect(worker.address).await?.read_to_end(&mut text).await?;
        let one: Report = serde_json::from_slice(&text).context("a worker's report")?;
        all.done += one.done;
        all.statements += one.statements;
        all.latencies.extend(one.latencies);
    }
    Ok(all)
}
