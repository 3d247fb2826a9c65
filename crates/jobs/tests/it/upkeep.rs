//! What becomes of jobs that have ended.

use pulse_jobs::{Forget, JobsConfig, WorkerOptions};

use crate::fixture::Fixture;

#[tokio::test]
async fn ended_jobs_are_forgotten_after_their_time() {
    let fixture = Fixture::new().await;
    let insert = "INSERT INTO platform.jobs_ended (id, kind, payload, status, priority, attempts, max_attempts, run_at, progress,
                                                   claims, version, created_at, finished_at)
                  SELECT gen_random_uuid(), 'test.job', '{}', status, 0, 1, 3, now(), 0, 1, 1, now(), now() - age
                    FROM (VALUES ('completed', interval '23 hours'), ('completed', interval '25 hours'),
                                 ('failed', interval '29 days'), ('failed', interval '31 days'),
                                 ('cancelled', interval '31 days')) AS ended (status, age),
                         generate_series(1, 3000)";
    fixture.run_sql(insert).await;
    let new = "INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, ready, created_at)
               VALUES (gen_random_uuid(), 'platform.forget_jobs', '{}', 0, 3, now() - interval '1 minute', true, now())";
    fixture.run_sql(new).await;
    let worker = fixture.worker_with(Forget::new(&JobsConfig::default()), WorkerOptions::default());
    assert_eq!(worker.drain().await.unwrap(), 1);
    let left = |status: &str| {
        format!("SELECT count(*) FROM platform.jobs_ended WHERE kind = 'test.job' AND status = '{status}'")
    };
    assert_eq!(fixture.number(&left("completed")).await, 3_000);
    assert_eq!(fixture.number(&left("failed")).await, 3_000);
    assert_eq!(fixture.number(&left("cancelled")).await, 0);
}
