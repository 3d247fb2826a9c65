//! What caches ask of the log.

use std::collections::HashSet;

use futures::future::BoxFuture;
use pulse_cache::{OwnWrites, Unheard};
use pulse_store::{Store, StoreError};
use pulse_types::UserId;

/// How many writers are told apart. Where there are more, everybody counts as one of them.
const WRITERS: i64 = 1_000;

/// Knows who has written what a process has not heard of yet: by the outbox and the end of the log, in one statement.
#[derive(Debug)]
pub struct WrittenElsewhere(pub Store);

impl WrittenElsewhere {
    async fn behind(&self, position: i64) -> Result<Unheard, StoreError> {
        let mut connection = self.0.system().await?;
        let query = sqlx::query_as(
            "SELECT DISTINCT actor
               FROM (SELECT actor FROM platform.outbox
                     UNION ALL SELECT actor FROM platform.log WHERE position > $1) AS unheard
              LIMIT $2",
        );
        let rows: Vec<(Option<UserId>,)> =
            connection.fetch_all("log.unheard", query.bind(position).bind(WRITERS)).await?;
        let everybody = i64::try_from(rows.len()).is_ok_and(|writers| writers == WRITERS);
        Ok(Unheard { actors: rows.into_iter().map(|(actor,)| actor).collect::<HashSet<_>>(), everybody })
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
