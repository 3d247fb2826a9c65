//! Reading the log.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use pulse_store::{Store, StoreError};
use pulse_types::{OrgId, UserId};
use sqlx::FromRow;
use uuid::Uuid;

/// One committed event.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct LogEntry {
    /// Its place: 1, 2, 3 …
    pub position: i64,
    /// The tenant whose data changed.
    pub tenant: Option<OrgId>,
    /// `created`, `updated` or `deleted`.
    pub kind: String,
    /// What changed: `subgraph.type`.
    pub subject: String,
    /// Its id.
    pub key: Uuid,
    /// Its version after.
    pub version: i64,
    /// Names of the fields that changed.
    pub changed: Vec<String>,
    /// What subscribers route by.
    pub attributes: serde_json::Value,
    /// The person who changed it.
    pub actor: Option<UserId>,
    /// When it was written.
    pub at: DateTime<Utc>,
}

/// A place in a log: which log, and after which position. Opaque to clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCursor {
    /// The log's name: one per database.
    pub log: String,
    /// Everything up to this position has been read; 0 is the beginning.
    pub position: i64,
}

/// Text that is no cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a cursor of the event log: start again without it")]
pub struct InvalidCursor;

impl fmt::Display for LogCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.log, self.position)
    }
}

impl FromStr for LogCursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (log, position) = text.rsplit_once('.').ok_or(InvalidCursor)?;
        let position = i64::from_str_radix(position, 16).map_err(|_| InvalidCursor)?;
        if log.is_empty() || position < 0 {
            Err(InvalidCursor)
        } else {
            Ok(Self { log: log.to_owned(), position })
        }
    }
}

/// The log of one database.
#[derive(Debug, Clone)]
pub struct Log {
    store: Store,
}

impl Log {
    /// The log that `store` has.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// The last position given out; 0 before the first event.
    pub async fn head(&self) -> Result<i64, StoreError> {
        let mut connection = self.store.system().await?;
        let query = sqlx::query_as("SELECT position FROM platform.log_head");
        let (position,) = connection.fetch_one("log.head", query).await?;
        Ok(position)
    }

    /// Up to `limit` events of all tenants after `position`, in order.
    pub async fn after(&self, position: i64, limit: i64) -> Result<Vec<LogEntry>, StoreError> {
        let mut connection = self.store.system().await?;
        let query = sqlx::query_as(
            "SELECT position, tenant, kind, subject, key, version, changed, attributes, actor, at
               FROM platform.log WHERE position > $1 ORDER BY position LIMIT $2",
        );
        connection.fetch_all("log.after", query.bind(position).bind(limit)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back() {
        let cursor = LogCursor { log: "main".to_owned(), position: 4_711 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn other_text_is_no_cursor() {
        for text in ["", "main", "main.", ".1", "main.xyz", "main.-1"] {
            assert_eq!(text.parse::<LogCursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
