//! A worker from its start to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;
use pulse_jobs::WorkerOptions;
use pulse_store::{PoolOptions, Store};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, awaits, handler, job};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_run_each_job_once_and_finish_what_runs_when_stopped() {
    let fixture = Fixture::new().await;
    for _ in 0..40 {
        fixture.enqueue(job(0)).await;
    }
    let stop = CancellationToken::new();
    let done = Arc::new(AtomicUsize::new(0));
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let (done, counted) = (Arc::clone(&done), stop.clone());
            let does = move |_| {
                if done.fetch_add(1, Ordering::SeqCst) == 39 {
                    counted.cancel();
                }
                Ok(())
            };
            tokio::spawn(fixture.worker(handler(does)).run(stop.clone()))
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    assert_eq!(done.load(Ordering::SeqCst), 40);
    let completed = "SELECT count(*) FROM platform.jobs_ended WHERE status = 'completed' AND attempts = 1";
    assert_eq!(fixture.number(completed).await, 40);
}

/// A worker that sweeps once an hour, and what tells that it ran a job.
fn told_only(fixture: &Fixture) -> (tokio::task::JoinHandle<()>, Arc<Notify>, CancellationToken) {
    let ran = Arc::new(Notify::new());
    let signal = Arc::clone(&ran);
    let does = move |_| {
        signal.notify_one();
        Ok(())
    };
    let options = WorkerOptions { idle: Duration::from_hours(1), ..WorkerOptions::default() };
    let worker = fixture.worker_with(handler(does), options).listening(fixture.database.options());
    let stop = CancellationToken::new();
    (tokio::spawn(worker.run(stop.clone())), ran, stop)
}

#[tokio::test]
async fn a_commit_in_the_same_process_wakes_a_worker() {
    let fixture = Fixture::new().await;
    let (worker, ran, stop) = told_only(&fixture);
    for _ in 0..3 {
        fixture.enqueue(job(0)).await;
        ran.notified().await;
    }
    stop.cancel();
    worker.await.unwrap();
}

#[tokio::test]
async fn a_commit_in_another_process_wakes_a_worker() {
    let fixture = Fixture::new().await;
    let (worker, ran, stop) = told_only(&fixture);
    let other =
        Store::new(fixture.database.options(), &PoolOptions::default(), fixture.store.clock().clone());
    let waker = pulse_events::Waker::new(other.clone(), fixture.database.options());
    let waker = tokio::spawn(waker.run(stop.clone()));
    let there = Fixture { store: other, ..fixture };
    for _ in 0..3 {
        there.enqueue(job(0)).await;
        ran.notified().await;
    }
    stop.cancel();
    worker.await.unwrap();
    waker.await.unwrap();
}

#[tokio::test]
async fn what_does_not_end_in_time_is_given_back_and_its_attempt_not_counted() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let started = Arc::new(Notify::new());
    let signal = Arc::clone(&started);
    let handler = awaits(move |_, _| {
        signal.notify_one();
        std::future::pending().boxed()
    });
    let options = WorkerOptions { drain: Duration::from_millis(1), ..WorkerOptions::default() };
    let stop = CancellationToken::new();
    let running = tokio::spawn(fixture.worker_with(handler, options).run(stop.clone()));
    started.notified().await;
    stop.cancel();
    running.await.unwrap();
    assert_eq!(fixture.job().await, ("pending".to_owned(), 0, None));
    let next = fixture.worker(crate::fixture::handler(|_| Ok(())));
    assert_eq!(next.drain().await.unwrap(), 1, "at once");
    assert_eq!(fixture.job().await, ("completed".to_owned(), 1, None));
}

#[tokio::test]
async fn a_handler_whose_lease_was_lost_is_dropped_and_changes_nothing() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let started = Arc::new(Notify::new());
    let signal = Arc::clone(&started);
    let handler = awaits(move |_, context| {
        signal.notify_one();
        let ended = context.stopping().clone();
        async move {
            ended.cancelled().await;
            Ok(())
        }
        .boxed()
    });
    let stop = CancellationToken::new();
    // It has no place for the job that it has lost, and gives no sign of life while this test runs.
    let lease = Duration::from_hours(1);
    let options = WorkerOptions { concurrency: 1, lease, ..WorkerOptions::default() };
    let worker = fixture.worker_with(handler, options).listening(fixture.database.options());
    let running = tokio::spawn(worker.run(stop.clone()));
    started.notified().await;
    // Its process was asleep for longer than its lease, and another one has the job.
    fixture.pass(3_601);
    let other = fixture.worker(crate::fixture::handler(|_| Ok(())));
    assert_eq!(other.drain().await.unwrap(), 1);
    stop.cancel();
    running.await.unwrap();
    assert_eq!(fixture.job().await, ("completed".to_owned(), 2, None));
    assert_eq!(fixture.number("SELECT count(*) FROM platform.jobs_ended").await, 1);
}

#[tokio::test]
async fn a_long_job_keeps_its_lease() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let started = Arc::new(Notify::new());
    let signal = Arc::clone(&started);
    let handler = awaits(move |_, context| {
        signal.notify_one();
        let ended = context.stopping().clone();
        async move {
            ended.cancelled().await;
            Ok(())
        }
        .boxed()
    });
    let options = WorkerOptions { lease: Duration::from_secs(1), ..WorkerOptions::default() };
    let stop = CancellationToken::new();
    let running = tokio::spawn(fixture.worker_with(handler, options).run(stop.clone()));
    started.notified().await;
    fixture.pass(3600);
    // The clock has moved by an hour; what is renewed after that is an hour further on.
    let until = fixture.now();
    loop {
        let sql = format!("SELECT count(*) FROM platform.jobs WHERE lease_until > '{until}'");
        if fixture.number(&sql).await == 1 {
            break;
        }
    }
    let other = fixture.worker(crate::fixture::handler(|_| Ok(())));
    assert_eq!(other.drain().await.unwrap(), 0);
    stop.cancel();
    running.await.unwrap();
    assert_eq!(fixture.job().await, ("completed".to_owned(), 1, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn short_jobs_are_claimed_and_recorded_in_full_batches() {
    const JOBS: usize = 1_000;
    let fixture = Fixture::new().await;
    fixture.enqueue_in(fixture.tenant(), (0..JOBS).map(|_| job(0))).await;
    let (stop, done) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)));
    let ended = stop.clone();
    let does = move |_| {
        if done.fetch_add(1, Ordering::SeqCst) + 1 == JOBS {
            ended.cancel();
        }
        Ok(())
    };
    let before = fixture.store.statistics().statements();
    let options = WorkerOptions::default();
    let batches = JOBS.div_ceil(options.concurrency) as u64;
    fixture.worker_with(handler(does), options).run(stop).await;
    let statements = fixture.store.statistics().statements() - before;
    eprintln!("{statements} statements for {JOBS} jobs");
    assert_eq!(fixture.number("SELECT count(*) FROM platform.jobs_ended").await, 1_000);
    // Recording, the lock and the claim; and what is done once.
    assert!(
        statements <= batches * 3 * 2 + 20,
        "{statements} statements for {JOBS} jobs in {batches} batches"
    );
}
