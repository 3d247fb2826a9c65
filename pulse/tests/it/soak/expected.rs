//! What clients have to hear, as the event log says.

use pulse_testkit::TestDatabase;

use super::client::Client;

/// An event of the log.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Event {
    pub(super) position: i64,
    pub(super) tenant: String,
    pub(super) kind: String,
    /// The type of the entity, and the one that it was of before.
    pub(super) types: Vec<String>,
    pub(super) at: chrono::DateTime<chrono::Utc>,
}

/// All events behind a cursor.
pub(super) struct Expected(Vec<Event>);

/// A cursor behind all that has happened.
pub(super) async fn end_of_log(database: &TestDatabase) -> anyhow::Result<String> {
    let mut connection = database.connect().await?;
    // What was committed last may not be in the log yet.
    loop {
        let (name, position, waiting): (String, i64, bool) = sqlx::query_as(
            "SELECT name, position, EXISTS (SELECT FROM platform.outbox) FROM platform.log_head",
        )
        .fetch_one(&mut connection)
        .await?;
        if !waiting {
            return Ok(format!("{name}.{position:x}"));
        }
        tokio::task::yield_now().await;
    }
}

/// The position of a cursor.
pub(super) fn position(cursor: &str) -> Option<i64> {
    i64::from_str_radix(cursor.rsplit_once('.')?.1, 16).ok()
}

impl Expected {
    pub(super) async fn read(database: &TestDatabase, begin: &str) -> anyhow::Result<Self> {
        // All of it is in the log now.
        end_of_log(database).await?;
        let mut connection = database.connect().await?;
        let events = sqlx::query_as(
            "SELECT l.position, o.slug AS tenant, l.kind, l.at,
                    array_remove(ARRAY[l.attributes ->> 'type', l.before ->> 'type'], NULL) AS types
               FROM platform.log l JOIN accounts.organizations o ON o.org_id = l.tenant
              WHERE l.subject = 'entities.entity' AND l.position > $1 ORDER BY l.position",
        )
        .bind(position(begin).unwrap_or_default())
        .fetch_all(&mut connection)
        .await?;
        Ok(Self(events))
    }

    /// Those that a client wants and may hear, in order.
    pub(super) fn of(&self, client: &Client) -> Vec<Event> {
        self.0.iter().filter(|event| client.wants(event)).cloned().collect()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
