//! What operators see of consumer groups and dead letters, and do about them.

use chrono::{DateTime, Utc};
use pulse_store::{Store, StoreError};
use pulse_types::{DeadLetterId, OrgId, ProcessId};
use sqlx::FromRow;

/// A consumer group as it stands.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Everything up to here is done.
    pub position: i64,
    /// How many events there are after that.
    pub behind: i64,
    /// The process that reads for it.
    pub holder: Option<ProcessId>,
    /// How often its next event failed.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

/// An event that a group gave up on.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct DeadLetter {
    /// Its id.
    pub id: DeadLetterId,
    /// The group.
    pub consumer: String,
    /// The event's place in the log.
    pub position: i64,
    /// The organization whose data the event is about.
    pub tenant: Option<OrgId>,
    /// How often it was tried.
    pub attempts: i32,
    /// Why the last attempt failed.
    pub error: String,
    /// When it was given up.
    pub at: DateTime<Utc>,
    /// Whether it will be tried once more.
    pub retry: bool,
}

/// The consumer groups of one log.
#[derive(Debug, Clone)]
pub struct Groups {
    store: Store,
}

impl Groups {
    /// Those of `store`'s log.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// All of them, by name.
    pub async fn list(&self) -> Result<Vec<Group>, StoreError> {
        let mut connection = self.store.system().await?;
        let query = sqlx::query_as(
            "SELECT c.name, c.position, h.position - c.position AS behind, c.holder, c.attempts, c.error
               FROM platform.consumers AS c, platform.log_head AS h ORDER BY c.name",
        );
        connection.fetch_all("consumers.list", query).await
    }

    /// Has a group read again from behind `position`, which is moved to where the log begins if it lies before that.
    /// Whether there is such a group. What it has done already it does again.
    pub async fn rewind(&self, name: &str, position: i64) -> Result<bool, StoreError> {
        let mut connection = self.store.system().await?;
        let rewind = sqlx::query(
            "UPDATE platform.consumers AS c
                SET position = least(greatest($2, h.oldest - 1), h.position), holder = NULL, lease_until = NULL,
                    attempts = 0, retry_at = NULL, error = NULL
               FROM platform.log_head AS h WHERE c.name = $1",
        );
        let known = connection.execute("consumers.rewind", rewind.bind(name).bind(position)).await? == 1;
        connection.commit().await?;
        Ok(known)
    }

    /// Up to `limit` dead letters after `after`, oldest first.
    pub async fn dead_letters(
        &self,
        after: Option<DeadLetterId>,
        limit: i64,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        let mut connection = self.store.system().await?;
        let query = sqlx::query_as(
            "SELECT id, consumer, position, tenant, attempts, error, at, retry FROM platform.dead_letters
              WHERE id > $1 ORDER BY id LIMIT $2",
        );
        connection
            .fetch_all(
                "dead_letters.list",
                query.bind(after.map(DeadLetterId::uuid).unwrap_or_default()).bind(limit),
            )
            .await
    }

    /// Has a dead letter tried once more, by whoever reads for its group. Whether there is such a letter.
    pub async fn retry(&self, id: DeadLetterId) -> Result<bool, StoreError> {
        self.change("dead_letters.retry", "UPDATE platform.dead_letters SET retry = true WHERE id = $1", id)
            .await
    }

    /// Forgets a dead letter. Whether there was such a letter.
    pub async fn discard(&self, id: DeadLetterId) -> Result<bool, StoreError> {
        self.change("dead_letters.discard", "DELETE FROM platform.dead_letters WHERE id = $1", id).await
    }

    async fn change(
        &self,
        name: &'static str,
        statement: &'static str,
        id: DeadLetterId,
    ) -> Result<bool, StoreError> {
        let mut connection = self.store.system().await?;
        let changed = connection.execute(name, sqlx::query(statement).bind(id)).await? == 1;
        connection.commit().await?;
        Ok(changed)
    }
}
