//! What rows were before they were changed or deleted.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError};
use pulse_types::{EntityId, Tag};
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::entity;
use crate::entity::repo::uuids;

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

/// Former versions of an entity, the latest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct VersionsPage {
    /// Those alone that were there by then.
    pub(crate) at: Option<DateTime<Utc>>,
    /// Those alone before this one.
    pub(crate) before: Option<i64>,
    pub(crate) limit: i64,
}

/// The statement of a page of former versions of each of these entities.
pub(crate) fn versions_query(ids: &[EntityId], page: &VersionsPage) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT h.* FROM unnest(");
    query.push_bind(uuids(ids)).push("::uuid[]) AS p (id) CROSS JOIN LATERAL (");
    query.push(
        "SELECT h.subject, h.id, h.version, h.value, h.at FROM entities.history AS h WHERE h.subject = ",
    );
    query.push_bind(entity::SUBJECT).push(" AND h.id = p.id");
    if let Some(before) = page.before {
        query.push(" AND h.version < ").push_bind(before);
    }
    if let Some(at) = page.at {
        query.push(" AND (h.value ->> 'updated_at')::timestamptz <= ").push_bind(at);
    }
    query.push(" ORDER BY h.version DESC LIMIT ").push_bind(page.limit).push(") AS h");
    query
}

/// A page of former versions of each of these entities.
pub(crate) async fn versions(
    session: &Session,
    ids: &[EntityId],
    page: &VersionsPage,
) -> Result<Vec<HistoryRow>, StoreError> {
    session.tag_all(ids.iter().map(|id| Tag::row(entity::SUBJECT, id.uuid())));
    session.fetch_all("history.versions", versions_query(ids, page).build_query_as()).await
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
