//! Enqueues what schedules say.

use chrono::{DateTime, Utc};
use pulse_store::{Connection, StoreError};
use pulse_types::JobId;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Cron, Missed};
use crate::Worker;

const DUE: &str = include_str!("../queries/due_schedules.sql");
const FIRE: &str = include_str!("../queries/fire_schedule.sql");

#[derive(FromRow)]
struct Due {
    id: Uuid,
    cron: String,
    zone: String,
    missed: String,
    next_run: DateTime<Utc>,
}

impl Worker {
    /// Fires the schedules whose time has come; how many. Whoever locks a schedule moves its next run in the same
    /// transaction that enqueues, so each run is enqueued once however many processes look.
    pub async fn fire_schedules(&self) -> Result<usize, StoreError> {
        let now = self.store.clock().now();
        let mut connection = self.store.worker().await?;
        let query = sqlx::query_as(DUE).bind(now).bind(self.kinds.names());
        let due: Vec<Due> = connection.fetch_all("schedules.due", query).await?;
        for schedule in &due {
            fire(&mut connection, schedule, now).await?;
        }
        connection.commit().await?;
        if !due.is_empty() {
            self.store.committed().notify_one();
        }
        Ok(due.len())
    }
}

async fn fire(connection: &mut Connection, schedule: &Due, now: DateTime<Utc>) -> Result<(), StoreError> {
    let (runs, next) = match Cron::try_new(&schedule.cron, &schedule.zone) {
        Ok(cron) => {
            let missed = Missed::from_name(&schedule.missed).unwrap_or(Missed::Skip);
            (missed.runs(&cron, schedule.next_run, now), cron.next(now))
        }
        Err(error) => {
            // It was right when it was made: a time zone may have gone from the database of zones.
            tracing::error!(schedule = %schedule.id, %error, "a schedule cannot be read and fires no more");
            (Vec::new(), None)
        }
    };
    let query = sqlx::query(FIRE)
        .bind(schedule.id)
        .bind(now)
        .bind(next)
        .bind(runs.iter().map(|_| JobId::new(now)).collect::<Vec<_>>())
        .bind(&runs);
    connection.execute("schedules.fire", query).await.map(drop)
}
