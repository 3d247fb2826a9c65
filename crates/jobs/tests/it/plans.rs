//! What a claim reads when much waits.

use chrono::Utc;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::fixture::Fixture;

/// The plan of a claim of 16, with what was done for each step.
async fn plan(connection: &mut PgConnection, now: chrono::DateTime<Utc>) -> String {
    let mut transaction = connection.begin().await.unwrap();
    sqlx::raw_sql("SET LOCAL ROLE pulse_system; SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
        .execute(&mut *transaction)
        .await
        .unwrap();
    let claim =
        concat!("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) ", include_str!("../../src/queries/claim.sql"));
    let lines: Vec<String> = sqlx::query_scalar(claim)
        .bind(now)
        .bind(30.0)
        .bind(vec!["test.job"])
        .bind(vec![None::<i32>])
        .bind(vec![None::<i32>])
        .bind(16_i64)
        .bind(Uuid::nil())
        .bind(i64::MAX)
        .bind(12_i64)
        .bind(Uuid::nil())
        .bind("")
        .bind(256_i64)
        .bind(Vec::<Uuid>::new())
        .bind(true)
        .fetch_all(&mut *transaction)
        .await
        .unwrap();
    transaction.rollback().await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn a_claim_reads_the_first_of_each_lane_however_much_waits() {
    let fixture = Fixture::new().await;
    let insert = "INSERT INTO platform.jobs (id, tenant, kind, payload, priority, max_attempts, run_at, ready, created_at)
                  SELECT gen_random_uuid(), md5((n % 20)::text)::uuid, 'test.job', '{}', 0, 3, now(), true, now()
                    FROM generate_series(1, 50000) AS n";
    fixture.run_sql(insert).await;
    let mut connection = fixture.database.connect().await.unwrap();
    let plan = plan(&mut connection, fixture.now()).await;
    assert!(!plan.contains("Seq Scan on jobs"), "{plan}");
    // Fifty thousand wait, on a few hundred pages of the table and as many of the index.
    let pages = plan.lines().find_map(|line| line.trim().strip_prefix("Buffers: shared hit="));
    let pages: u32 = pages.and_then(|pages| pages.split(' ').next()).and_then(|n| n.parse().ok()).unwrap();
    assert!(pages < 1_000, "{plan}");
}
