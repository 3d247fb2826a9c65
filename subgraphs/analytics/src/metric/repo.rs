//! Counting and summing rows of `analytics.events` of one name.

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError};
use pulse_types::OrgId;
use sqlx::{FromRow, Postgres, QueryBuilder};

use super::Metric;

/// A count and a sum.
#[derive(Debug, Clone, Copy, PartialEq, FromRow)]
pub(crate) struct MetricRow {
    pub(crate) since: DateTime<Utc>,
    pub(crate) count: i64,
    pub(crate) sum: f64,
}

pub(crate) async fn now(session: &Session, org: OrgId, metric: &Metric) -> Result<MetricRow, StoreError> {
    let time = session.store().clock().now();
    session.fetch_one("metrics.now", now_query("", org, metric, time).build_query_as()).await
}

/// The statement of [`now`], after `verb`: nothing, or `EXPLAIN `.
pub(crate) fn now_query(
    verb: &str,
    org: OrgId,
    metric: &Metric,
    time: DateTime<Utc>,
) -> QueryBuilder<Postgres> {
    let Metric { name, entity, interval } = metric;
    let unit = interval.unit();
    let begin = |query: &mut QueryBuilder<Postgres>| {
        query.push(format!("date_trunc('{unit}', ")).push_bind(time).push(", 'UTC')");
    };
    let mut query = QueryBuilder::new(verb);
    query.push("SELECT ");
    begin(&mut query);
    query.push(" AS since, count(*) AS count, coalesce(sum(value), 0)::float8 AS sum FROM analytics.events");
    query.push(" WHERE org_id = ").push_bind(org).push(" AND name = ").push_bind(name.clone());
    query.push(" AND at >= ");
    begin(&mut query);
    query.push(format!(" AND at < (date_trunc('{unit}', ")).push_bind(time);
    query.push(format!(" AT TIME ZONE 'UTC') + interval '1 {unit}') AT TIME ZONE 'UTC'"));
    if let Some(entity) = entity {
        query.push(" AND entity_id = ").push_bind(*entity);
    }
    query
}
