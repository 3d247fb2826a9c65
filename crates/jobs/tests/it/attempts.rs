//! How attempts end, and what is told of them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use pulse_jobs::{JobError, Policy};
use serde_json::json;

use crate::fixture::{Fixture, awaits, handler, job};

#[tokio::test]
async fn a_failed_attempt_is_repeated_later_until_attempts_are_used_up() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let worker = fixture.worker(handler(|attempt| Err(JobError::Retry(format!("attempt {attempt} broke")))));
    for (attempt, status) in [(1, "pending"), (2, "pending"), (3, "failed")] {
        assert_eq!(worker.drain().await.unwrap(), 1);
        let error = Some(format!("attempt {attempt} broke"));
        assert_eq!(fixture.job().await, (status.to_owned(), attempt, error));
        assert_eq!(worker.drain().await.unwrap(), 0, "not before its delay is over");
        fixture.pass(3600);
    }
    assert_eq!(worker.drain().await.unwrap(), 0);
}

#[tokio::test]
async fn a_fatal_failure_is_not_repeated() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let worker = fixture.worker(handler(|_| Err(JobError::Fatal("no use".to_owned()))));
    worker.drain().await.unwrap();
    assert_eq!(fixture.job().await, ("failed".to_owned(), 1, Some("no use".to_owned())));
}

#[tokio::test]
async fn delays_double_with_jitter_up_to_the_limit() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let mut handler = handler(|_| Err(JobError::Retry("again".to_owned())));
    let (backoff, max_backoff) = (Some(Duration::from_secs(10)), Some(Duration::from_secs(30)));
    handler.policy = Policy { attempts: Some(5), backoff, max_backoff, ..Policy::default() };
    let worker = fixture.worker(handler);
    for full in [10, 20, 30, 30] {
        assert_eq!(worker.drain().await.unwrap(), 1);
        let now = fixture.now().timestamp_millis();
        let run_at =
            fixture.number("SELECT (extract(epoch FROM run_at) * 1000)::bigint FROM platform.jobs").await;
        let delay = run_at - now;
        assert!((full * 500 - 1..=full * 1000 + 1).contains(&delay), "{delay} ms for {full} s");
        fixture.pass(31);
    }
    assert_eq!(worker.drain().await.unwrap(), 1);
    assert_eq!(
        fixture.job().await,
        ("failed".to_owned(), 5, Some("again".to_owned())),
        "the kind's own number"
    );
}

#[tokio::test]
async fn a_handler_may_say_when_to_try_again() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let worker = fixture.worker(handler(|_| {
        Err(JobError::RetryAfter { reason: "busy".to_owned(), delay: Duration::from_secs(100) })
    }));
    assert_eq!(worker.drain().await.unwrap(), 1);
    fixture.pass(99);
    assert_eq!(worker.drain().await.unwrap(), 0);
    fixture.pass(2);
    assert_eq!(worker.drain().await.unwrap(), 1);
}

#[tokio::test]
async fn a_handler_that_panics_or_takes_too_long_has_failed_this_time() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let mut panics = awaits(|_, _| async { panic!("on purpose") }.boxed());
    panics.policy.attempts = Some(3);
    assert_eq!(fixture.worker(panics).drain().await.unwrap(), 1);
    assert_eq!(fixture.job().await, ("pending".to_owned(), 1, Some("the handler panicked".to_owned())));

    fixture.pass(60);
    let mut hangs = awaits(|_, _| std::future::pending().boxed());
    hangs.policy.time_limit = Some(Duration::from_millis(5));
    assert_eq!(fixture.worker(hangs).drain().await.unwrap(), 1);
    assert_eq!(
        fixture.job().await,
        ("pending".to_owned(), 2, Some("it took longer than 0.005 s".to_owned()))
    );
}

#[tokio::test]
async fn a_delayed_job_waits_for_its_time() {
    let fixture = Fixture::new().await;
    let mut later = job(0);
    later.delay = Duration::from_mins(1);
    fixture.enqueue(later).await;
    let worker = fixture.worker(handler(|_| Ok(())));
    assert_eq!(worker.drain().await.unwrap(), 0);
    fixture.pass(61);
    assert_eq!(worker.drain().await.unwrap(), 1);
}

#[tokio::test]
async fn every_change_of_a_tenants_job_is_told_and_progress_in_bounded_steps() {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let worker = fixture.worker(awaits(|_, context| {
        async {
            for percent in 0..=100 {
                context.progress(percent).await?;
            }
            Ok(())
        }
        .boxed()
    }));
    worker.drain().await.unwrap();
    let mut expected = vec!["created pending 0".to_owned(), "updated processing 0".to_owned()];
    expected.extend((1..=20).map(|step| format!("updated processing {}", step * 5)));
    expected.push("updated completed 100".to_owned());
    assert_eq!(fixture.told().await, expected);
    let versions = "SELECT count(DISTINCT version) FROM platform.outbox WHERE subject = 'platform.job'";
    assert_eq!(fixture.number(versions).await, 23);
}

#[tokio::test]
async fn jobs_of_nobody_are_not_told_of() {
    let fixture = Fixture::new().await;
    let insert = "INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, created_at)
                  SELECT gen_random_uuid(), 'test.job', '{}', 0, 3, now() - interval '1 minute', now()";
    fixture.run_sql(insert).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut handler = handler(|_| Ok(()));
    handler.seen = Arc::clone(&seen);
    assert_eq!(
        fixture.worker(handler).drain().await.unwrap(),
        1,
        "and not being marked as ready is no obstacle"
    );
    assert_eq!(seen.lock().unwrap()[0].tenant, None);
    assert_eq!(fixture.told().await, Vec::<String>::new());
}

/// A job whose handler has this to say in the end: its status, its result, and what was told of it last.
async fn brought(result: serde_json::Value, ends: Result<(), &'static str>) -> (Fixture, serde_json::Value) {
    let fixture = Fixture::new().await;
    fixture.enqueue(job(0)).await;
    let worker = fixture.worker(awaits(move |_, context| {
        let result = result.as_object().cloned().unwrap();
        async move {
            context.set_result(result)?;
            ends.map_err(|reason| JobError::Fatal(reason.to_owned()))
        }
        .boxed()
    }));
    worker.drain().await.unwrap();
    let sql = "SELECT jsonb_build_array(status, error, result, (
                   SELECT attributes -> 'result' FROM platform.outbox WHERE subject = 'platform.job' ORDER BY id DESC LIMIT 1))
                 FROM platform.jobs_ended";
    let mut connection = fixture.database.connect().await.unwrap();
    let found = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    (fixture, found)
}

#[tokio::test]
async fn what_a_job_brought_is_kept_and_told_of_without_saying_it() {
    let (_fixture, found) = brought(json!({ "items": 12 }), Ok(())).await;
    assert_eq!(found, json!(["completed", null, { "items": 12 }, true]));
}

#[tokio::test]
async fn what_a_failed_attempt_brought_is_not_kept() {
    let (_fixture, found) = brought(json!({ "items": 12 }), Err("broken off")).await;
    assert_eq!(found, json!(["failed", "broken off", null, null]));
}

#[tokio::test]
async fn a_result_that_is_too_large_fails_its_job() {
    let frame = r#"{"text":""}"#.len();
    let (_fixture, found) = brought(json!({ "text": "x".repeat(64 * 1024 - frame) }), Ok(())).await;
    assert_eq!(found[0], "completed");
    let (_fixture, found) = brought(json!({ "text": "x".repeat(64 * 1024 - frame + 1) }), Ok(())).await;
    let error = "the job's result has 65537 bytes, allowed are 65536: say where it is instead";
    assert_eq!(found, json!(["failed", error, null, null]));
}
