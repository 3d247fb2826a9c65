//! What the log forgets.

use pulse_events::{Log, Retention, Sequencer};
use pulse_testkit::TestDatabase;
use uuid::Uuid;

use crate::{drain, write};

#[tokio::test]
async fn whole_partitions_go_when_all_in_them_is_old_and_nobody_has_to_read_it() {
    let database = TestDatabase::new().await.unwrap();
    let store = crate::store(&database);
    let mut connection = database.connect().await.unwrap();
    let org = crate::org(&store);
    for version in 1..=3 {
        sqlx::query("UPDATE platform.log_head SET position = $1 * 1000000 - 1")
            .bind(version)
            .execute(&mut connection)
            .await
            .unwrap();
        write(&store, org, Uuid::nil(), version, true).await;
        drain(&mut Sequencer::new(store.clone())).await;
    }
    let log = Log::new(store.clone());
    // Position 1,000,000 is two days old, the two after it are new.
    sqlx::query("UPDATE platform.log SET at = now() - interval '2 days' WHERE position = 1000000")
        .execute(&mut connection)
        .await
        .unwrap();
    sqlx::query("INSERT INTO platform.consumers (name, position) VALUES ('test.slow', 999998)")
        .execute(&mut connection)
        .await
        .unwrap();
    let day = Retention { keep: std::time::Duration::from_hours(24) };
    assert_eq!(day.apply(&store).await.unwrap(), 0, "a group has still to read the first partition");
    sqlx::query("UPDATE platform.consumers SET position = 2999999").execute(&mut connection).await.unwrap();
    assert_eq!(day.apply(&store).await.unwrap(), 2, "the partitions before the oldest one that is new");
    assert_eq!(log.head().await.unwrap().oldest, 2_000_000);
    let left: Vec<i64> = log.after(0, 10).await.unwrap().iter().map(|change| change.position).collect();
    assert_eq!(left, [2_000_000, 3_000_000]);
}
