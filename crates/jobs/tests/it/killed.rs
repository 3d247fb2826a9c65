//! Workers that are killed at random.

use std::time::Duration;

use futures::FutureExt;
use pulse_jobs::WorkerOptions;
use pulse_store::NewJob;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, awaits, job};

const JOBS: usize = 60;
const WORKERS: usize = 3;

/// A worker whose handler writes down that a job was done, by the job's key once; it tells of each start and each end.
fn start(fixture: &Fixture, told: &mpsc::UnboundedSender<bool>, stop: &CancellationToken) -> JoinHandle<()> {
    let (store, told) = (fixture.store.clone(), told.clone());
    let handler = awaits(move |job, _| {
        let (store, told) = (store.clone(), told.clone());
        async move {
            let _ = told.send(false);
            let mut connection = store.system().await?;
            let done = sqlx::query("INSERT INTO platform.done VALUES ($1, $2) ON CONFLICT (key) DO NOTHING")
                .bind(job.payload["key"].as_i64())
                .bind(job.attempt);
            connection.execute("test.done", done).await?;
            tokio::task::yield_now().await;
            connection.commit().await?;
            let _ = told.send(true);
            Ok(())
        }
        .boxed()
    });
    let options =
        WorkerOptions { concurrency: 3, idle: Duration::from_millis(10), ..WorkerOptions::default() };
    tokio::spawn(fixture.worker_with(handler, options).run(stop.clone()))
}

/// One life of a queue under a seed: every job is completed, each was done at least once, and by its key once.
async fn survives(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let fixture = Fixture::new().await;
    fixture.run_sql("CREATE TABLE platform.done (key bigint PRIMARY KEY, attempt int NOT NULL)").await;
    fixture.run_sql("GRANT SELECT, INSERT ON platform.done TO pulse_system").await;
    let tenants: Vec<_> = (0..4).map(|_| fixture.tenant()).collect();
    for key in 0..JOBS {
        let tenant = *tenants.choose(&mut random).unwrap();
        let new = NewJob {
            payload: json!({ "key": key }),
            max_attempts: 1_000,
            ..job(random.random_range(-2..=2))
        };
        fixture.enqueue_in(tenant, [new]).await;
    }
    let (tell, mut told) = mpsc::unbounded_channel();
    let stop = CancellationToken::new();
    let mut workers: Vec<_> = (0..WORKERS).map(|_| start(&fixture, &tell, &stop)).collect();
    for _ in 0..random.random_range(8..16) {
        for _ in 0..random.random_range(1..8) {
            // Nothing more may come once all is done.
            if tokio::time::timeout(Duration::from_millis(200), told.recv()).await.is_err() {
                break;
            }
        }
        let victim = random.random_range(0..WORKERS);
        workers[victim].abort();
        workers[victim] = start(&fixture, &tell, &stop);
        // What it had is free after its lease, and so is what others have not renewed at this moment.
        fixture.pass(31);
    }
    let left = "SELECT count(*) FROM platform.jobs";
    while fixture.number(left).await > 0 {
        fixture.pass(31);
    }
    stop.cancel();
    for worker in workers {
        worker.await.unwrap();
    }
    let completed = "SELECT count(*) FROM platform.jobs_ended WHERE status = 'completed'";
    assert_eq!(fixture.number(completed).await, i64::try_from(JOBS).unwrap(), "seed {seed}");
    let done = "SELECT count(DISTINCT key) FROM platform.done";
    assert_eq!(fixture.number(done).await, i64::try_from(JOBS).unwrap(), "seed {seed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_is_done_however_workers_die() {
    for seed in 1..=3 {
        survives(seed).await;
    }
}
