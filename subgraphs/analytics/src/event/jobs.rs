//! Partitions for months that have none.

use async_trait::async_trait;
use chrono::NaiveDate;
use pulse_jobs::{Job, JobContext, JobError, JobHandler};

pub(crate) const ENSURE_MONTHS: &str = "analytics.ensure_months";

/// Gives months their partitions and moves their events there.
pub(crate) struct EnsureMonths;

#[async_trait]
impl JobHandler for EnsureMonths {
    fn kind(&self) -> &'static str {
        ENSURE_MONTHS
    }

    async fn run(&self, job: &Job, context: &JobContext) -> Result<(), JobError> {
        let months: Vec<NaiveDate> = serde_json::from_value(job.payload["months"].clone())
            .map_err(|_| JobError::Fatal("the job names no months".to_owned()))?;
        for month in months {
            // A transaction each, so that reads and writes of events stop only for a moment.
            let mut connection = context.store().maintenance().await?;
            let ensure = sqlx::query("SELECT analytics.ensure_month($1)").bind(month);
            connection.execute("events.ensure_month", ensure).await?;
            connection.commit().await?;
        }
        Ok(())
    }
}
