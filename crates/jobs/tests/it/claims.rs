//! Whose turn it is.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt;
use pulse_jobs::{Policy, WorkerOptions};
use tokio::sync::{Barrier, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, awaits, handler, job};

#[tokio::test]
async fn jobs_run_by_priority_and_are_completed() {
    let fixture = Fixture::new().await;
    fixture.enqueue_in(fixture.tenant(), [job(0), job(5), job(1)]).await;
    let handler = handler(|_| Ok(()));
    let seen = Arc::clone(&handler.seen);
    assert_eq!(fixture.worker(handler).drain().await.unwrap(), 3);
    let order: Vec<_> = seen.lock().unwrap().iter().map(|job| job.payload["priority"].clone()).collect();
    assert_eq!(order, [5, 1, 0]);
    assert_eq!(fixture.number("SELECT count(*) FROM platform.jobs").await, 0);
    let completed = "SELECT count(*) FROM platform.jobs_ended WHERE status = 'completed' AND progress = 100";
    assert_eq!(fixture.number(completed).await, 3);
}

#[tokio::test]
async fn a_tenants_one_job_does_not_wait_for_anothers_many() {
    let fixture = Fixture::new().await;
    fixture.enqueue_in(fixture.tenant(), (0..60).map(|_| job(9))).await;
    fixture.pass(60);
    let (second, third) = (fixture.tenant(), fixture.tenant());
    fixture.enqueue_in(second, [job(0)]).await;
    fixture.enqueue_in(third, [job(0)]).await;
    let handler = handler(|_| Ok(()));
    let seen = Arc::clone(&handler.seen);
    // One after the other, which is the hardest case: there is never anything running to count.
    assert_eq!(fixture.worker(handler).drain().await.unwrap(), 62);
    let seen = seen.lock().unwrap();
    let turn = |tenant| seen.iter().position(|job| job.tenant == Some(tenant)).unwrap();
    assert!(turn(second) <= 2 && turn(third) <= 2, "{} and {}", turn(second), turn(third));
}

#[tokio::test]
async fn more_lanes_than_one_claim_looks_at_come_to_their_turn() {
    let fixture = Fixture::new().await;
    let insert = "INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, ready, created_at)
                  SELECT gen_random_uuid(), gen_random_uuid(), 'test.job', '{}', 0, 3, now() - interval '1 minute', true, now()
                    FROM generate_series(1, 300)";
    fixture.run_sql(insert).await;
    let lanes = handler(|_| Ok(()));
    assert_eq!(fixture.worker(lanes).drain().await.unwrap(), 300);
}

/// How many of one tenant, and how many at all, were seen running at once.
async fn most_at_once(options: WorkerOptions, policy: Policy, workers: usize) -> usize {
    let fixture = Fixture::new().await;
    fixture.enqueue_in(fixture.tenant(), (0..24).map(|_| job(0))).await;
    let (running, most, done) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let stop = CancellationToken::new();
    let tasks: Vec<_> = (0..workers)
        .map(|_| {
            let (running, most, done) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&done));
            let ended = stop.clone();
            let mut handler = awaits(move |_, _| {
                let (running, most, done) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&done));
                let ended = ended.clone();
                async move {
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    for _ in 0..20 {
                        tokio::task::yield_now().await;
                    }
                    running.fetch_sub(1, Ordering::SeqCst);
                    if done.fetch_add(1, Ordering::SeqCst) == 23 {
                        ended.cancel();
                    }
                    Ok(())
                }
                .boxed()
            });
            handler.policy = policy;
            // So that workers look again at once when another one has made room.
            let options = WorkerOptions { idle: Duration::from_millis(20), ..options.clone() };
            tokio::spawn(fixture.worker_with(handler, options).run(stop.clone()))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(done.load(Ordering::SeqCst), 24);
    most.load(Ordering::SeqCst)
}

#[tokio::test]
async fn a_kinds_limit_holds_across_workers() {
    let policy = Policy { concurrency: Some(2), ..Policy::default() };
    assert!(most_at_once(WorkerOptions::default(), policy, 3).await <= 2);
}

#[tokio::test]
async fn a_tenants_limit_holds_across_workers() {
    let options = WorkerOptions { tenant_concurrency: Some(3), ..WorkerOptions::default() };
    assert!(most_at_once(options, Policy::default(), 3).await <= 3);
}

/// Options of a worker of whose slots a tenant's share is all but one.
fn shared(concurrency: usize) -> WorkerOptions {
    WorkerOptions { concurrency, tenant_slots: concurrency - 1, ..WorkerOptions::default() }
}

#[tokio::test]
async fn a_tenant_alone_has_all_slots() {
    let fixture = Fixture::new().await;
    fixture.enqueue_in(fixture.tenant(), (0..4).map(|_| job(0))).await;
    // None of them ends before all of them run.
    let all = Arc::new(Barrier::new(4));
    let done = Arc::new(AtomicUsize::new(0));
    let stop = CancellationToken::new();
    let ended = stop.clone();
    let handler = awaits(move |_, _| {
        let (all, done, ended) = (Arc::clone(&all), Arc::clone(&done), ended.clone());
        async move {
            all.wait().await;
            if done.fetch_add(1, Ordering::SeqCst) == 3 {
                ended.cancel();
            }
            Ok(())
        }
        .boxed()
    });
    fixture.worker_with(handler, shared(4)).run(stop).await;
    assert_eq!(fixture.number("SELECT count(*) FROM platform.jobs_ended").await, 4);
}

#[tokio::test]
async fn slots_beyond_a_tenants_share_go_to_others_first() {
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.tenant(), fixture.tenant());
    // Of higher priority, and before all others.
    fixture.enqueue_in(first, (0..8).map(|_| job(9))).await;
    fixture.enqueue_in(second, (0..2).map(|_| job(0))).await;
    let all = Arc::new(Barrier::new(4));
    let stop = CancellationToken::new();
    let (begun, seen) = (Arc::new(Mutex::new(Vec::new())), stop.clone());
    let tenants = Arc::clone(&begun);
    let handler = awaits(move |job, _| {
        tenants.lock().unwrap().push(job.tenant.unwrap());
        let (all, seen) = (Arc::clone(&all), seen.clone());
        async move {
            all.wait().await;
            seen.cancel();
            Ok(())
        }
        .boxed()
    });
    fixture.worker_with(handler, shared(4)).run(stop).await;
    let of = |tenant| begun.lock().unwrap()[..4].iter().filter(|one| **one == tenant).count();
    assert_eq!((of(first), of(second)), (2, 2));
}

#[tokio::test]
async fn a_newcomer_gets_a_slot_that_was_lent() {
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.tenant(), fixture.tenant());
    fixture.enqueue_in(first, (0..2).map(|_| job(0))).await;
    let stop = CancellationToken::new();
    let (running, ended) = (Arc::new(Semaphore::new(0)), stop.clone());
    let begun = Arc::clone(&running);
    let handler = awaits(move |job, _| {
        let (begun, ended, tenant) = (Arc::clone(&begun), ended.clone(), job.tenant);
        async move {
            begun.add_permits(1);
            if tenant == Some(first) {
                // As long as the worker lets it.
                std::future::pending::<()>().await;
            }
            ended.cancel();
            Ok(())
        }
        .boxed()
    });
    let options = WorkerOptions { drain: Duration::from_millis(1), ..shared(2) };
    let worker = tokio::spawn(fixture.worker_with(handler, options).run(stop));
    running.acquire_many(2).await.unwrap().forget();
    fixture.enqueue_in(second, [job(0)]).await;
    worker.await.unwrap();
    // What it was done on had gone back as if it had not been claimed, and so has the rest with the worker's end.
    let ended = "SELECT count(*) FROM platform.jobs_ended WHERE status = 'completed' AND attempts = 1";
    assert_eq!(fixture.number(ended).await, 1);
    let waiting = "SELECT count(*) FROM platform.jobs WHERE status = 'pending' AND ready AND attempts = 0";
    assert_eq!(fixture.number(waiting).await, 2);
}

#[tokio::test]
async fn nothing_is_given_back_for_jobs_that_could_not_run() {
    let fixture = Fixture::new().await;
    let (first, second) = (fixture.tenant(), fixture.tenant());
    fixture.enqueue_in(first, (0..2).map(|_| job(0))).await;
    let stop = CancellationToken::new();
    let (running, go_on) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let signals = (Arc::clone(&running), Arc::clone(&go_on));
    let mut handler = awaits(move |_, _| {
        let (running, go_on) = signals.clone();
        async move {
            running.add_permits(1);
            go_on.acquire().await.unwrap().forget();
            Ok(())
        }
        .boxed()
    });
    handler.policy = Policy { concurrency: Some(2), ..Policy::default() };
    let options = WorkerOptions { idle: Duration::from_hours(1), ..shared(2) };
    let worker = tokio::spawn(fixture.worker_with(handler, options).run(stop.clone()));
    running.acquire_many(2).await.unwrap().forget();
    fixture.enqueue_in(second, [job(0)]).await;
    // The worker looks at what others have waiting, as its statements show.
    let before = fixture.store.statistics().statements();
    while fixture.store.statistics().statements() < before + 2 {
        tokio::task::yield_now().await;
    }
    let kept = "SELECT count(*) FROM platform.jobs WHERE status = 'processing' AND claims = 1";
    assert_eq!(fixture.number(kept).await, 2);
    go_on.add_permits(3);
    running.acquire().await.unwrap().forget();
    stop.cancel();
    worker.await.unwrap();
    assert_eq!(fixture.number("SELECT count(*) FROM platform.jobs_ended WHERE attempts = 1").await, 3);
}

#[tokio::test]
async fn a_job_with_a_key_can_be_enqueued_again_once_the_first_has_ended() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant();
    let mut keyed = job(0);
    keyed.unique_key = Some("one".to_owned());
    fixture.enqueue_in(tenant, [keyed.clone(), keyed.clone()]).await;
    fixture.enqueue_in(tenant, [keyed.clone()]).await;
    assert_eq!(fixture.told().await, ["created pending 0"], "what was not enqueued is not told of");
    let worker = fixture.worker(handler(|_| Ok(())));
    assert_eq!(worker.drain().await.unwrap(), 1);
    fixture.enqueue_in(tenant, [keyed]).await;
    assert_eq!(worker.drain().await.unwrap(), 1);
}

#[tokio::test]
async fn a_job_whose_worker_died_is_run_by_another_after_its_lease() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let lease = fixture.now() + TimeDelta::seconds(30);
    let claimed =
        format!("UPDATE platform.jobs SET status = 'processing', attempts = 1, lease_until = '{lease}'");
    fixture.run_sql(&claimed).await;
    let handler = handler(|_| Ok(()));
    let seen: Arc<Mutex<_>> = Arc::clone(&handler.seen);
    let worker = fixture.worker(handler);
    assert_eq!(worker.drain().await.unwrap(), 0);
    fixture.pass(31);
    assert_eq!(worker.drain().await.unwrap(), 1);
    assert_eq!(fixture.job().await.0, "completed");
    assert_eq!(seen.lock().unwrap()[0].attempt, 2);
}

#[tokio::test]
async fn a_job_that_kills_its_workers_fails_in_the_end() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    fixture
        .run_sql("UPDATE platform.jobs SET status = 'processing', attempts = 3, lease_until = now() - interval '1 day'")
        .await;
    let worker = fixture.worker(handler(|_| Ok(())));
    assert_eq!(worker.drain().await.unwrap(), 0);
    assert_eq!(fixture.job().await, ("failed".to_owned(), 3, Some("its workers were lost".to_owned())));
}
