//! Cancelled while running. What waits is cancelled by who asks for it: see the subgraph operations.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use pulse_jobs::{JobError, WorkerOptions};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fixture::{Fixture, awaits, job};

const CANCEL: &str = "UPDATE platform.jobs SET cancel = true";

#[tokio::test]
async fn progress_tells_a_handler_that_its_job_was_cancelled() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let (started, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (Arc::clone(&started), Arc::clone(&go_on));
    let worker = fixture.worker(awaits(move |_, context| {
        let (started, go_on) = signals.clone();
        async move {
            started.notify_one();
            go_on.notified().await;
            context.progress(50).await
        }
        .boxed()
    }));
    let running = tokio::spawn(async move { worker.drain().await.unwrap() });
    started.notified().await;
    fixture.run_sql(CANCEL).await;
    go_on.notify_one();
    assert_eq!(running.await.unwrap(), 1);
    assert_eq!(fixture.job().await, ("cancelled".to_owned(), 1, None));
    assert_eq!(fixture.told().await.last().unwrap(), "updated cancelled 50");
}

#[tokio::test]
async fn an_attempt_that_fails_after_its_job_was_cancelled_is_the_last() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let database = fixture.database.options();
    let worker = fixture.worker(awaits(move |_, _| {
        let database = database.clone();
        async move {
            use sqlx::ConnectOptions;
            let mut connection = database.connect().await.unwrap();
            sqlx::query(CANCEL).execute(&mut connection).await.unwrap();
            Err(JobError::Retry("broken off".to_owned()))
        }
        .boxed()
    }));
    assert_eq!(worker.drain().await.unwrap(), 1);
    assert_eq!(fixture.job().await, ("cancelled".to_owned(), 1, Some("broken off".to_owned())));
}

/// Cancels the job of a handler that behaves as `polite` says, and waits until its worker has seen to it.
async fn cancelled_while_running(polite: bool) -> (String, i32, Option<String>) {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let started = Arc::new(Notify::new());
    let signal = Arc::clone(&started);
    let ended = Arc::new(Notify::new());
    let dropped = Arc::clone(&ended);
    let handler = awaits(move |_, context| {
        let (signal, dropped) = (Arc::clone(&signal), Arc::clone(&dropped));
        async move {
            let _told_when_dropped = scopeguard(move || dropped.notify_one());
            signal.notify_one();
            if polite {
                context.cancelled().cancelled().await;
                return Err(JobError::Cancelled);
            }
            std::future::pending().await
        }
        .boxed()
    });
    let options = WorkerOptions { cancel_grace: Duration::from_millis(1), ..WorkerOptions::default() };
    let worker = fixture.worker_with(handler, options).listening(fixture.database.options());
    let stop = CancellationToken::new();
    let running = tokio::spawn(worker.run(stop.clone()));
    started.notified().await;
    fixture.run_sql(CANCEL).await;
    fixture.run_sql("SELECT pg_notify('pulse_jobs', '')").await;
    ended.notified().await;
    stop.cancel();
    running.await.unwrap();
    fixture.job().await
}

/// Calls `done` when it is dropped.
fn scopeguard(done: impl Fn()) -> impl Drop {
    struct Guard<F: Fn()>(F);
    impl<F: Fn()> Drop for Guard<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    Guard(done)
}

#[tokio::test]
async fn a_running_handler_is_told_at_once() {
    assert_eq!(cancelled_while_running(true).await, ("cancelled".to_owned(), 1, None));
}

#[tokio::test]
async fn a_handler_that_does_not_listen_is_dropped() {
    assert_eq!(cancelled_while_running(false).await, ("cancelled".to_owned(), 1, None));
}

#[tokio::test]
async fn the_place_of_a_cancelled_job_is_used_at_once() {
    let fixture = Fixture::new().await;
    fixture.enqueue_in(fixture.tenant(), [job(1), job(0)]).await;
    let (started, ran) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let signals = (Arc::clone(&started), Arc::clone(&ran));
    let handler = awaits(move |job, context| {
        let (started, ran) = signals.clone();
        let is_first = job.payload["priority"] == 1;
        async move {
            if is_first {
                started.notify_one();
                context.cancelled().cancelled().await;
                return Err(JobError::Cancelled);
            }
            ran.notify_one();
            Ok(())
        }
        .boxed()
    });
    // Nothing but the cancelling wakes it.
    let options = WorkerOptions { concurrency: 1, idle: Duration::from_hours(1), ..WorkerOptions::default() };
    let stop = CancellationToken::new();
    let running = tokio::spawn(fixture.worker_with(handler, options).run(stop.clone()));
    started.notified().await;
    fixture.run_sql("UPDATE platform.jobs SET cancel = true WHERE status = 'processing'").await;
    fixture.store.cancelled().notify_one();
    ran.notified().await;
    stop.cancel();
    running.await.unwrap();
    let ended =
        "SELECT count(DISTINCT status) FROM platform.jobs_ended WHERE status IN ('cancelled', 'completed')";
    assert_eq!(fixture.number(ended).await, 2);
}
