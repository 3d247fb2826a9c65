//! Time series: events counted or summed by intervals.

mod entity;
mod error;
pub(crate) mod repo;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use pulse_graphql::Error;
use pulse_store::Session;
use pulse_types::{EntityId, Permission};

pub(crate) use entity::{Aggregate, Grouping, Interval, Range};
pub(crate) use error::SeriesError;
use repo::SeriesRow;

/// So many points a series may have.
const MAX_BUCKETS: i64 = 1000;

/// So many groups are shown, the largest first.
pub(crate) const MAX_GROUPS: i64 = 50;

/// So many names of events may be asked for.
const MAX_NAMES: usize = 50;

/// Which series.
#[derive(Debug, Clone)]
pub(crate) struct SeriesRequest {
    pub(crate) range: Range,
    pub(crate) names: Option<Vec<String>>,
    pub(crate) entity: Option<EntityId>,
    pub(crate) aggregate: Aggregate,
    pub(crate) grouping: Option<Grouping>,
}

/// A point: when its interval begins, and what it says.
pub(crate) type Point = (DateTime<Utc>, f64);

/// The points of one group.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// What its events have in common; `None` without grouping, and for events that have nothing to group by.
    pub(crate) key: Option<String>,
    pub(crate) total: f64,
    pub(crate) points: Vec<Point>,
}

/// A series, by groups.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) range: Range,
    pub(crate) groups: Vec<Group>,
    pub(crate) omitted_groups: i64,
}

/// A series with a point for each interval, zero where nothing happened.
pub(crate) async fn time_series(
    session: &Session,
    request: SeriesRequest,
) -> Result<Series, Error<SeriesError>> {
    let org = session.caller().require(&Permission::ANALYTICS_READ)?;
    if let Some(names) = request.names.as_ref().filter(|names| !(1..=MAX_NAMES).contains(&names.len())) {
        return Err(SeriesError::Names(names.len()).into());
    }
    if let Some(Grouping::Property(property)) = &request.grouping
        && !(1..=200).contains(&property.chars().count())
    {
        return Err(SeriesError::Property.into());
    }
    let rows = repo::series(session, org, &request).await?;
    Ok(fill(&request, rows))
}

/// What intervals say, by their beginning.
type Values = BTreeMap<DateTime<Utc>, f64>;

/// Puts the rows, which are sparse, into the intervals, which are among them as rows of rank 0.
fn fill(request: &SeriesRequest, rows: Vec<SeriesRow>) -> Series {
    let buckets: BTreeSet<DateTime<Utc>> = rows.iter().map(|row| row.bucket).collect();
    let found = rows.iter().map(|row| row.groups).max().unwrap_or_default();
    let mut by_rank: BTreeMap<i64, (Option<String>, Values)> = BTreeMap::new();
    if request.grouping.is_none() {
        by_rank.insert(1, (None, BTreeMap::new()));
    }
    for row in rows.into_iter().filter(|row| row.rank > 0) {
        let (_, values) = by_rank.entry(row.rank).or_insert_with(|| (row.key, BTreeMap::new()));
        values.insert(row.bucket, row.value);
    }
    let group = |(key, values): (Option<String>, Values)| Group {
        key,
        total: values.values().sum(),
        points: buckets.iter().map(|at| (*at, values.get(at).copied().unwrap_or_default())).collect(),
    };
    Series {
        range: request.range,
        groups: by_rank.into_values().map(group).collect(),
        omitted_groups: (found - MAX_GROUPS).max(0),
    }
}
