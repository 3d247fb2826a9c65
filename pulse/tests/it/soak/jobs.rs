//! Whether every job was done, by its key once.

use std::collections::BTreeMap;
use std::time::Duration;

use pulse_testkit::TestDatabase;
use tokio::time::Instant;

use super::{PATIENCE, pass};

/// Waits until no job is left to do, and compares what was done with the collections whose deletion asked for it.
pub(super) async fn all_done(database: &TestDatabase, deleted: &[String]) -> anyhow::Result<()> {
    let mut connection = database.connect().await?;
    let began = Instant::now();
    loop {
        let (left,): (i64,) =
            sqlx::query_as("SELECT count(*) FROM platform.jobs WHERE kind = 'vectors.drop_partition'")
                .fetch_one(&mut connection)
                .await?;
        if left == 0 {
            break;
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "{left} jobs are not done");
        pass(Duration::from_millis(50)).await;
    }
    let ended: Vec<(String, String, i32)> = sqlx::query_as(
        "SELECT payload ->> 'collection', status, attempts FROM platform.jobs_ended
          WHERE kind = 'vectors.drop_partition'",
    )
    .fetch_all(&mut connection)
    .await?;
    let repeated = ended.iter().filter(|(.., attempts)| *attempts > 1).count();
    let mut done: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (collection, status, _) in ended {
        done.entry(collection).or_default().push(status);
    }
    let wrong: Vec<_> = deleted
        .iter()
        .filter(|collection| done.get(*collection).is_none_or(|statuses| *statuses != ["completed"]))
        .map(|collection| format!("{collection}: {:?}", done.get(collection)))
        .collect();
    anyhow::ensure!(wrong.is_empty(), "jobs that were not done, or not once: {wrong:?}");
    anyhow::ensure!(done.len() == deleted.len(), "{} jobs for {} keys", done.len(), deleted.len());
    let (collections,): (i64,) =
        sqlx::query_as("SELECT count(*) FROM pg_inherits WHERE inhparent = 'vectors.items'::regclass")
            .fetch_one(&mut connection)
            .await?;
    anyhow::ensure!(collections == 0, "{collections} collections have items although all were deleted");
    eprintln!("{} jobs, {repeated} of them started more than once", deleted.len());
    Ok(())
}
