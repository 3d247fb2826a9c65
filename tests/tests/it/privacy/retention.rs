//! What is old is forgotten.

use sqlx::Row;

use super::{MARKS, PATIENCE, Stage};

#[tokio::test]
async fn what_is_personal_is_forgotten_with_age_and_what_is_new_is_not() {
    let stage = Stage::new().await;
    let person = &stage.person.id;
    stage
        .execute(&format!(
            "INSERT INTO accounts.sessions (user_id, id, created_at, last_used_at, ended_at, end_reason, address, user_agent)
             VALUES ('{person}', gen_random_uuid(), now() - interval '1 year', now() - interval '91 days',
                     now() - interval '91 days', 'ended', '192.0.2.77', 'Old/1');
             INSERT INTO platform.jobs (id, kind, payload, priority, max_attempts, run_at, ready, created_at)
             VALUES (gen_random_uuid(), 'platform.privacy_retain', '{{}}', 0, 3, now(), true, now())"
        ))
        .await;
    let mut connection = stage.platform.database.connect().await.unwrap();
    let forgotten = async {
        loop {
            let sql =
                "SELECT count(*) FROM accounts.sessions WHERE address = '192.0.2.77' OR user_agent = 'Old/1'";
            let left: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
            if left == 0 {
                break;
            }
        }
    };
    tokio::time::timeout(PATIENCE, forgotten).await.expect("what is old is forgotten");
    let sql = "SELECT count(*) FILTER (WHERE address IS NOT NULL AND user_agent = $1) AS kept, count(*) AS all_of_them
                 FROM accounts.sessions WHERE user_id = $2::uuid";
    let query = sqlx::query(sql).bind(MARKS[3]).bind(person);
    let row = query.fetch_one(&mut stage.platform.database.connect().await.unwrap()).await.unwrap();
    assert_eq!((row.get::<i64, _>("kept"), row.get::<i64, _>("all_of_them")), (2, 3));
}
