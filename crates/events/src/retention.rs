//! What the log keeps.

use std::time::Duration;

use chrono::TimeDelta;
use pulse_store::{Store, StoreError};

/// How long the log keeps what was committed. It forgets whole partitions, so some of it is kept longer; what a consumer
/// group has still to read is kept in any case.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// Changes are kept for at least this long.
    pub keep: Duration,
}

impl Retention {
    /// Drops the partitions that are too old; how many.
    pub async fn apply(&self, store: &Store) -> Result<i32, StoreError> {
        let before = store.clock().now() - TimeDelta::from_std(self.keep).unwrap_or(TimeDelta::MAX);
        let mut connection = store.maintenance().await?;
        let first = sqlx::query_as::<_, (i64,)>(include_str!("queries/first_kept.sql")).bind(before);
        let (first,) = connection.fetch_one("log.first_kept", first).await?;
        // By itself: a statement cannot drop what it reads.
        let query = sqlx::query_as("SELECT platform.drop_log_partitions($1)").bind(first);
        let (dropped,) = connection.fetch_one("log.drop_partitions", query).await?;
        connection.commit().await?;
        Ok(dropped)
    }
}
