//! `TimeSeries`.

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::EntityId;

use super::entity::Entity;
use crate::series::{self, Aggregate, Group, Grouping, Interval, Point, Range, SeriesError, SeriesRequest};

/// Events counted or summed by intervals.
#[derive(SimpleObject)]
pub(crate) struct TimeSeries {
    /// Where it begins.
    from: DateTime<Utc>,
    /// Where it ends, exclusive.
    to: DateTime<Utc>,
    /// How long a point lasts.
    interval: Interval,
    /// The time zone by which it was cut.
    time_zone: &'static str,
    /// The groups, the largest total first, at most 50; without `groupBy` exactly one.
    groups: Vec<TimeSeriesGroup>,
    /// How many smaller groups are left out.
    omitted_groups: i64,
}

/// The points of one group.
#[derive(SimpleObject)]
pub(crate) struct TimeSeriesGroup {
    /// What its events have in common: their name, the id of their entity, or the property's value as text. Null
    /// without `groupBy`, and for the group of events that have nothing to group by.
    key: Option<String>,
    /// The entity, when grouped by ENTITY.
    entity: Option<Entity>,
    /// The sum of all points.
    total: f64,
    /// A point for each interval, in the order of time.
    points: Vec<TimeSeriesPoint>,
}

/// What happened in one interval.
#[derive(SimpleObject)]
pub(crate) struct TimeSeriesPoint {
    /// When the interval begins. The first may begin before `from`; only events from `from` on count.
    at: DateTime<Utc>,
    /// The count or the sum, 0 when nothing happened.
    value: f64,
}

/// By what events are told apart.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum EventGroupKind {
    /// By their names.
    Name,
    /// By the entities that they happened to.
    Entity,
    /// By the text of one of their properties.
    Property,
}

/// By what events are told apart.
#[derive(InputObject)]
pub(crate) struct EventGrouping {
    /// By what.
    by: EventGroupKind,
    /// Which property, for PROPERTY.
    property: Option<String>,
}

/// Which events, cut how.
#[derive(InputObject)]
pub(crate) struct TimeSeriesInput {
    /// Only events with one of these names, at most 50.
    names: Option<Vec<String>>,
    /// Only events that happened to this entity.
    entity_id: Option<EntityId>,
    /// From when on.
    from: DateTime<Utc>,
    /// Until when, exclusive.
    to: DateTime<Utc>,
    /// How long a point lasts; there may be 1000 points.
    interval: Interval,
    /// What a point says.
    #[graphql(default_with = "Aggregate::Count")]
    aggregate: Aggregate,
    /// Tell events apart by this.
    group_by: Option<EventGrouping>,
    /// The IANA time zone in which days, weeks and months begin, such as Europe/Berlin.
    #[graphql(default_with = "\"UTC\".to_owned()")]
    time_zone: String,
}

impl TimeSeriesInput {
    fn check(self) -> Result<SeriesRequest, SeriesError> {
        let Self { names, entity_id, from, to, interval, aggregate, group_by, time_zone } = self;
        let range = Range::try_new(from, to, interval, &time_zone)?;
        let grouping = group_by.map(|group| match (group.by, group.property) {
            (EventGroupKind::Name, None) => Ok(Grouping::Name),
            (EventGroupKind::Entity, None) => Ok(Grouping::Entity),
            (EventGroupKind::Property, Some(property)) => Ok(Grouping::Property(property)),
            _ => Err(SeriesError::Property),
        });
        Ok(SeriesRequest { range, names, entity: entity_id, aggregate, grouping: grouping.transpose()? })
    }
}

impl From<Point> for TimeSeriesPoint {
    fn from((at, value): Point) -> Self {
        Self { at, value }
    }
}

impl TimeSeriesGroup {
    fn new(group: Group, by_entity: bool) -> Self {
        let Group { key, total, points } = group;
        let id = key.as_deref().filter(|_| by_entity).and_then(|key| key.parse().ok());
        let entity = id.map(|id| Entity { id });
        Self { key, entity, total, points: points.into_iter().map(Into::into).collect() }
    }
}

/// Queries of time series.
#[derive(Default)]
pub(crate) struct SeriesQuery;

#[Object]
impl SeriesQuery {
    /// Events counted or summed by intervals, with a point for each interval.
    async fn time_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which events, cut how.")] input: TimeSeriesInput,
    ) -> Option<Result<TimeSeries, Error<SeriesError>>> {
        Some(time_series(ctx, input).await)
    }
}

async fn time_series(ctx: &Context<'_>, input: TimeSeriesInput) -> Result<TimeSeries, Error<SeriesError>> {
    let request = input.check()?;
    let by_entity = request.grouping == Some(Grouping::Entity);
    let series = series::time_series(ctx.session(), request).await?;
    let Range { from, to, interval, zone } = series.range;
    let groups = series.groups.into_iter().map(|group| TimeSeriesGroup::new(group, by_entity)).collect();
    Ok(TimeSeries {
        from,
        to,
        interval,
        time_zone: zone.name(),
        groups,
        omitted_groups: series.omitted_groups,
    })
}
