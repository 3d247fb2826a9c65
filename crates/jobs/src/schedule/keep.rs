//! Puts the schedules of Pulse itself into the database.

use pulse_store::StoreError;
use pulse_types::JobId;

use super::Cron;
use crate::{FixedSchedule, Worker};

const KEEP: &str = include_str!("../queries/keep_schedule.sql");

impl Worker {
    /// Makes each fixed schedule, or makes it as it is in this version. One that is right already is not touched, so that
    /// processes that start again and again do not put its next run off.
    pub async fn keep_schedules(&self) -> Result<(), StoreError> {
        let now = self.store.clock().now();
        let mut connection = self.store.worker().await?;
        for FixedSchedule { name, kind, cron, missed } in &self.schedules {
            let next = match Cron::try_new(cron, "UTC") {
                Ok(cron) => cron.next(now),
                Err(error) => {
                    tracing::error!(schedule = name, %error, "a schedule of Pulse itself is wrong");
                    continue;
                }
            };
            let query = sqlx::query(KEEP)
                .bind(JobId::new(now))
                .bind(name)
                .bind(kind)
                .bind(cron)
                .bind(missed.as_str())
                .bind(next)
                .bind(now);
            connection.execute("schedules.keep", query).await?;
        }
        connection.commit().await
    }
}
