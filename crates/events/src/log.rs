//! Reading the log.

use chrono::{DateTime, Utc};
use pulse_store::{LONGEST_WRITE, Store, StoreError};
use pulse_types::{Change, ChangeKind, Fact, OrgId, UserId};
use serde_json::{Map, Value};
use sqlx::FromRow;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Topic;

/// The log of one database.
#[derive(Debug, Clone)]
pub struct Log {
    store: Store,
}

/// What is known of a log as a whole.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct LogHead {
    /// What the log is called in cursors.
    pub name: String,
    /// The last position given out; 0 before the first event.
    pub position: i64,
    /// The first position that retention has left.
    pub oldest: i64,
}

/// A part of the log that was read.
#[derive(Debug)]
pub(crate) struct Range {
    pub(crate) changes: Vec<Change>,
    /// Everything up to here was looked at.
    pub(crate) upto: i64,
    /// The log's first position, seen after the changes were.
    pub(crate) oldest: i64,
}

#[derive(FromRow)]
struct LogRow {
    position: i64,
    tenant: Option<OrgId>,
    kind: String,
    subject: String,
    key: Uuid,
    version: i64,
    changed: Vec<String>,
    attributes: Value,
    before: Option<Value>,
    actor: Option<UserId>,
    request: Option<Uuid>,
    at: DateTime<Utc>,
    facts: Option<Json<Vec<Fact>>>,
}

const RANGE_OF_TENANT: &str = include_str!("queries/range_of_tenant.sql");
const RANGE_OF_NOBODY: &str = include_str!("queries/range_of_nobody.sql");

impl Log {
    /// The log that `store` has.
    pub const fn new(store: Store) -> Self {
        Self { store }
    }

    /// Its name, and where it begins and ends.
    pub async fn head(&self) -> Result<LogHead, StoreError> {
        let mut connection = self.store.system().await?;
        let query = sqlx::query_as("SELECT name, position, oldest FROM platform.log_head");
        connection.fetch_one("log.head", query).await
    }

    /// Up to `limit` changes of all tenants after `position`, in order.
    pub async fn after(&self, position: i64, limit: i64) -> Result<Vec<Change>, StoreError> {
        let mut connection = self.store.system().await?;
        let query = sqlx::query_as::<_, LogRow>(
            "SELECT position, tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts
               FROM platform.log WHERE position > $1 ORDER BY position LIMIT $2",
        );
        let rows = connection.fetch_all("log.after", query.bind(position).bind(limit)).await?;
        rows.into_iter().map(LogRow::change).collect()
    }

    /// All changes of these subjects since `at`, of all tenants, in order. For what a process has to know when it starts.
    pub async fn since(&self, at: DateTime<Utc>, subjects: &[&str]) -> Result<Vec<Change>, StoreError> {
        let position = self.position_at(at).await?;
        let mut connection = self.store.system().await?;
        let query = sqlx::query_as::<_, LogRow>(
            "SELECT position, tenant, kind, subject, key, version, changed, attributes, before, actor, request, at, facts
               FROM platform.log WHERE position > $1 AND subject = ANY ($2) ORDER BY position",
        );
        let rows = connection.fetch_all("log.since", query.bind(position).bind(subjects)).await?;
        rows.into_iter().map(LogRow::change).collect()
    }

    /// A position behind which everything lies that was written since `at`, and little else. Positions follow the time, but
    /// for as long as a transaction takes.
    async fn position_at(&self, at: DateTime<Utc>) -> Result<i64, StoreError> {
        let LogHead { position, oldest, .. } = self.head().await?;
        let (mut low, mut high) = (oldest - 1, position);
        let mut connection = self.store.system().await?;
        while low < high {
            let middle = i64::midpoint(low, high);
            let query =
                sqlx::query_as("SELECT at FROM platform.log WHERE position > $1 ORDER BY position LIMIT 1");
            let next = connection.fetch_optional("log.at", query.bind(middle)).await?;
            match next {
                Some((time,)) if time < at - LONGEST_WRITE => low = middle + 1,
                Some::<(DateTime<Utc>,)>(_) | None => high = middle,
            }
        }
        Ok(low)
    }

    /// Up to `limit` changes of one topic after `after` and up to `upto`, in order.
    pub(crate) async fn range(
        &self,
        topic: &Topic,
        (after, upto): (i64, i64),
        limit: i64,
    ) -> Result<Range, StoreError> {
        let mut connection = self.store.system().await?;
        // An index serves both, but not a condition that holds for both.
        let statement = if topic.tenant.is_some() { RANGE_OF_TENANT } else { RANGE_OF_NOBODY };
        let query = sqlx::query_as::<_, LogRow>(statement)
            .bind(topic.tenant)
            .bind(topic.subjects)
            .bind(after)
            .bind(upto)
            .bind(limit);
        let rows = connection.fetch_all("log.range", query).await?;
        // Seen afterwards: what retention took away meanwhile must not look as if nothing had been there.
        let query = sqlx::query_as("SELECT oldest FROM platform.log_head");
        let (oldest,) = connection.fetch_one("log.oldest", query).await?;
        let full = i64::try_from(rows.len()).is_ok_and(|rows| rows == limit);
        let changes: Vec<_> = rows.into_iter().map(LogRow::change).collect::<Result<_, _>>()?;
        let upto = changes.last().filter(|_| full).map_or(upto, |last| last.position);
        Ok(Range { changes, upto, oldest })
    }
}

impl LogRow {
    fn change(self) -> Result<Change, StoreError> {
        let Self {
            position,
            tenant,
            kind,
            subject,
            key,
            version,
            changed,
            attributes,
            before,
            actor,
            request,
            at,
            facts,
        } = self;
        let Some(kind) = ChangeKind::from_word(&kind) else {
            return Err(StoreError::Inconsistent {
                table: "platform.log",
                column: "kind",
                row: position.to_string(),
                problem: format!("{kind:?} is no kind of change"),
            });
        };
        let subject = subject.into();
        let (attributes, before) = (object(attributes), before.map(object).unwrap_or_default());
        Ok(Change {
            position,
            tenant,
            kind,
            subject,
            key,
            version,
            changed,
            attributes,
            before,
            actor,
            request,
            at,
            // What is audited of no tenant is for nobody to follow, though its event reaches everybody.
            facts: facts.filter(|_| tenant.is_some()).map(|Json(facts)| facts).unwrap_or_default(),
        })
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
