//! How much waits, for the metrics.

use pulse_store::{Store, StoreError};

/// Tells how many jobs of each kind wait, and the oldest of them for how long. A kind that was told of stays known, and
/// is then told to have none.
#[derive(Default)]
pub(crate) struct Depth {
    known: std::collections::BTreeSet<String>,
}

impl Depth {
    pub(crate) async fn measure(&mut self, store: &Store) -> Result<(), StoreError> {
        let query = sqlx::query_as(
            "SELECT kind, count(*)::float8, extract(epoch FROM $1 - min(run_at))::float8
               FROM platform.jobs WHERE status = 'pending' AND ready GROUP BY kind",
        );
        let mut connection = store.worker().await?;
        let rows: Vec<(String, f64, f64)> =
            connection.fetch_all("jobs.depth", query.bind(store.clock().now())).await?;
        for kind in &self.known {
            tell(kind, 0.0, 0.0);
        }
        for (kind, waiting, oldest) in rows {
            tell(&kind, waiting, oldest);
            self.known.insert(kind);
        }
        Ok(())
    }
}

fn tell(kind: &str, waiting: f64, oldest: f64) {
    metrics::gauge!("pulse_jobs_waiting", "kind" => kind.to_owned()).set(waiting);
    metrics::gauge!("pulse_jobs_oldest_waiting_seconds", "kind" => kind.to_owned()).set(oldest.max(0.0));
}
