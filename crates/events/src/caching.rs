//! What caches ask of the log.

use std::collections::HashSet;

use futures::future::BoxFuture;
use pulse_cache::{OwnWrites, Unheard};
use pulse_store::{Store, StoreError};
use pulse_types::UserId;

/// How many events are looked at on their way to the log, and as many behind the position. Where there are more, of an import
/// for example, everybody counts as one who has written: what is asked of each request must not take longer the more is on its
/// way.
const EVENTS: i64 = 10_000;

/// Knows who has written what a process has not heard of yet: by the outbox and the end of the log, in one statement.
#[derive(Debug)]
pub struct WrittenElsewhere(pub Store);

impl WrittenElsewhere {
    async fn behind(&self, position: i64) -> Result<Unheard, StoreError> {
        let mut connection = self.0.system().await?;
        // In the order of keys, so that it reads the ends of two indexes, however many rows that are moved and not yet
        // vacuumed the outbox has.
        let query = sqlx::query_as(
            "SELECT actor, max(events)
               FROM (SELECT actor, count(*) OVER () AS events
                       FROM (SELECT actor FROM platform.outbox ORDER BY id LIMIT $2) AS moving
                     UNION ALL
                     SELECT actor, count(*) OVER ()
                       FROM (SELECT actor FROM platform.log WHERE position > $1 ORDER BY position LIMIT $2) AS behind)
              GROUP BY actor",
        );
        let rows: Vec<(Option<UserId>, i64)> =
            connection.fetch_all("log.unheard", query.bind(position).bind(EVENTS)).await?;
        let everybody = rows.iter().any(|(_, events)| *events == EVENTS);
        Ok(Unheard { actors: rows.into_iter().map(|(actor, _)| actor).collect::<HashSet<_>>(), everybody })
    }
}

impl OwnWrites for WrittenElsewhere {
    fn unheard(&self, position: i64) -> BoxFuture<'_, Option<Unheard>> {
        Box::pin(async move {
            let unheard = self.behind(position).await;
            unheard.inspect_err(|error| tracing::warn!(%error, "nothing that was kept is used")).ok()
        })
    }
}
