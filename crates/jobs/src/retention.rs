//! Forgets jobs that ended long ago.

use std::time::Duration;

use async_trait::async_trait;
use pulse_store::StoreError;

use crate::{Job, JobContext, JobError, JobHandler, JobsConfig};

/// The kind of [`Forget`].
pub const FORGET: &str = "platform.forget_jobs";

/// Rows deleted in one transaction.
const BATCH: i64 = 5_000;

const DELETE: &str = include_str!("queries/forget.sql");

/// Forgets jobs that ended long ago, in batches.
pub struct Forget {
    completed: Duration,
    failed: Duration,
}

impl Forget {
    /// After the times that the settings say.
    pub const fn new(config: &JobsConfig) -> Self {
        Self { completed: config.keep_completed, failed: config.keep_failed }
    }

    async fn batch(&self, context: &JobContext) -> Result<u64, StoreError> {
        let now = context.store().clock().now();
        let mut connection = context.store().worker().await?;
        let delete = sqlx::query(DELETE).bind(now - self.completed).bind(now - self.failed).bind(BATCH);
        let deleted = connection.execute("jobs.forget", delete).await?;
        connection.commit().await?;
        Ok(deleted)
    }
}

#[async_trait]
impl JobHandler for Forget {
    fn kind(&self) -> &'static str {
        FORGET
    }

    async fn run(&self, _: &Job, context: &JobContext) -> Result<(), JobError> {
        while self.batch(context).await? > 0 {
            if context.stopping().is_cancelled() || context.cancelled().is_cancelled() {
                break;
            }
        }
        Ok(())
    }
}
