//! Counting and summing rows of `analytics.events`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use pulse_store::{Session, StoreError};
use pulse_types::OrgId;
use sqlx::{FromRow, Postgres, QueryBuilder};

use super::{Aggregate, Grouping, MAX_GROUPS, Point, Range, SeriesRequest};
use crate::event;

/// What happened in one interval in one group, or (rank 0) that there is this interval.
#[derive(Debug, FromRow)]
pub(crate) struct SeriesRow {
    pub(crate) bucket: DateTime<Utc>,
    pub(crate) key: Option<String>,
    pub(crate) value: f64,
    /// Of the group, the largest first.
    pub(crate) rank: i64,
    /// How many groups there are, also beyond those that are shown.
    pub(crate) groups: i64,
}

/// The rows of a series.
pub(crate) async fn series(
    session: &Session,
    org: OrgId,
    request: &SeriesRequest,
) -> Result<Vec<SeriesRow>, StoreError> {
    session.tag_all(event::tags(request.names.as_deref(), request.entity));
    let mut query = series_query("", org, request);
    session.fetch_all("events.series", query.build_query_as().persistent(false)).await
}

/// The statement of [`series`], after `verb`: nothing, or `EXPLAIN `. `generate_series` steps in the time zone;
/// cutting its steps again repairs those that fall into an hour that clocks skip.
pub(crate) fn series_query(verb: &str, org: OrgId, request: &SeriesRequest) -> QueryBuilder<Postgres> {
    let SeriesRequest { range, names, entity, aggregate, grouping } = request;
    let Range { from, to, interval, zone } = range;
    let (unit, zone) = (interval.unit(), zone.name());
    let mut query = QueryBuilder::new(verb);
    query
        .push("WITH counted AS (SELECT date_trunc(")
        .push_bind(unit)
        .push(", at, ")
        .push_bind(zone)
        .push(") AS bucket, ");
    match grouping {
        None => query.push("NULL::text"),
        Some(Grouping::Name) => query.push("name::text"),
        Some(Grouping::Entity) => query.push("entity_id::text"),
        Some(Grouping::Property(property)) => query.push("properties ->> ").push_bind(property.clone()),
    };
    query.push(match aggregate {
        Aggregate::Count => " AS key, count(*)::float8 AS value",
        Aggregate::Sum => " AS key, coalesce(sum(value), 0) AS value",
    });
    query.push(" FROM analytics.events WHERE org_id = ").push_bind(org);
    query.push(" AND at >= ").push_bind(*from).push(" AND at < ").push_bind(*to);
    if let Some(names) = names {
        query.push(" AND name = ANY (").push_bind(names.clone()).push(")");
    }
    if let Some(entity) = entity {
        query.push(" AND entity_id = ").push_bind(*entity);
    }
    query.push(
        " GROUP BY 1, 2), totalled AS (SELECT *, sum(value) OVER (PARTITION BY key) AS total FROM counted),
         ranked AS (SELECT *, dense_rank() OVER (ORDER BY total DESC, key) AS rank FROM totalled),
         sized AS (SELECT *, max(rank) OVER () AS groups FROM ranked)
         SELECT bucket, key, value, rank, groups FROM sized WHERE rank <= ",
    );
    query.push_bind(MAX_GROUPS).push(" UNION ALL SELECT date_trunc(").push_bind(unit).push(", step, ");
    query
        .push_bind(zone)
        .push("), NULL, 0, 0, 0 FROM generate_series(date_trunc(")
        .push_bind(unit)
        .push(", ");
    query.push_bind(*from).push(", ").push_bind(zone).push("), ").push_bind(*to);
    query.push(" - interval '1 microsecond', ('1 ' || ").push_bind(unit).push(")::interval, ");
    query.push_bind(zone).push(") AS step");
    query
}

pub(crate) const ACTIVITY: &str = include_str!("../queries/activity.sql");

#[derive(FromRow)]
struct ActivityRow {
    nth: i64,
    bucket: DateTime<Utc>,
    events: i64,
}

/// How much happened in each interval of each of `ranges`.
pub(crate) async fn activity(
    session: &Session,
    org: OrgId,
    ranges: &[Range],
) -> Result<HashMap<Range, Vec<Point>>, StoreError> {
    session.tag_all(event::tags(None, None));
    let query = sqlx::query_as(ACTIVITY)
        .bind(org)
        .bind(ranges.iter().map(|range| range.from).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| range.to).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| range.interval.unit()).collect::<Vec<_>>())
        .bind(ranges.iter().map(|range| range.zone.name()).collect::<Vec<_>>());
    let rows: Vec<ActivityRow> = session.fetch_all("events.activity", query).await?;
    let mut points: HashMap<Range, Vec<Point>> = HashMap::new();
    for ActivityRow { nth, bucket, events } in rows {
        if let Some(range) = usize::try_from(nth - 1).ok().and_then(|nth| ranges.get(nth)) {
            #[expect(clippy::cast_precision_loss, reason = "a count beyond 2^53 does not occur")]
            points.entry(*range).or_default().push((bucket, events as f64));
        }
    }
    Ok(points)
}
