//! What rows were before they were changed or deleted.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError};
use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

/// A version that is no more: of what, of which one, and its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Past {
    pub(crate) subject: &'static str,
    pub(crate) id: Uuid,
    pub(crate) version: i64,
}

/// A row as it was.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct HistoryRow {
    pub(crate) subject: String,
    pub(crate) id: Uuid,
    pub(crate) version: i64,
    pub(crate) value: Json<Map<String, Value>>,
    pub(crate) at: DateTime<Utc>,
}

const BY_VERSIONS: &str = "SELECT h.subject, h.id, h.version, h.value, h.at
      FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS asked (subject, id, version)
      JOIN entities.history AS h USING (subject, id, version)";

/// Those versions, as far as they were kept.
pub(crate) async fn find(session: &Session, versions: &[Past]) -> Result<Vec<HistoryRow>, StoreError> {
    let query = sqlx::query_as(BY_VERSIONS)
        .bind(versions.iter().map(|past| past.subject).collect::<Vec<_>>())
        .bind(versions.iter().map(|past| past.id).collect::<Vec<_>>())
        .bind(versions.iter().map(|past| past.version).collect::<Vec<_>>());
    session.fetch_all("history.by_versions", query).await
}

impl HistoryRow {
    /// What the row was, as its type.
    pub(crate) fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, StoreError> {
        let value = Value::Object(self.value.0.clone());
        serde_json::from_value(value).map_err(|error| StoreError::Inconsistent {
            table: "entities.history",
            column: "value",
            row: format!("{} {} {}", self.subject, self.id, self.version),
            problem: error.to_string(),
        })
    }
}
