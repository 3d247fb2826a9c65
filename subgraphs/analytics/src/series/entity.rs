//! What a time series is made of.

use async_graphql::Enum;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::{MAX_BUCKETS, SeriesError};

/// How long a point of a time series lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[graphql(name = "TimeInterval")]
pub(crate) enum Interval {
    /// A minute.
    Minute,
    /// An hour.
    Hour,
    /// A day of the time zone: 23 to 25 hours where clocks change.
    Day,
    /// A week, which begins on Monday.
    Week,
    /// A month of the calendar.
    Month,
}

impl Interval {
    /// PostgreSQL's word.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    const fn shortest(self) -> TimeDelta {
        match self {
            Self::Minute => TimeDelta::minutes(1),
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::hours(24),
            Self::Week => TimeDelta::days(7),
            Self::Month => TimeDelta::days(28),
        }
    }
}

/// What a point says of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EventAggregate")]
pub(crate) enum Aggregate {
    /// How many there are.
    Count,
    /// The sum of their values; an event without a value adds nothing.
    Sum,
}

/// By what events are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Grouping {
    Name,
    Entity,
    Property(String),
}

/// A stretch of time that is cut into intervals in a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) from: DateTime<Utc>,
    pub(crate) to: DateTime<Utc>,
    pub(crate) interval: Interval,
    pub(crate) zone: Tz,
}

impl Range {
    /// Checks that it goes forward and has not too many points.
    pub(crate) fn try_new(
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        interval: Interval,
        zone: &str,
    ) -> Result<Self, SeriesError> {
        let zone = time_zone(zone)?;
        if from >= to {
            return Err(SeriesError::Range);
        }
        let buckets = (to - from).num_milliseconds() / interval.shortest().num_milliseconds() + 1;
        if buckets > MAX_BUCKETS {
            return Err(SeriesError::Buckets(buckets));
        }
        Ok(Self { from, to, interval, zone })
    }

    /// The last `days` days of the time zone, today until `now` included.
    pub(crate) fn last_days(
        days: i32,
        now: DateTime<Utc>,
        interval: Interval,
        zone: &str,
    ) -> Result<Self, SeriesError> {
        if !(1..=1000).contains(&days) {
            return Err(SeriesError::Days(days));
        }
        let tz = time_zone(zone)?;
        let first = now.with_timezone(&tz).date_naive() - TimeDelta::days(i64::from(days) - 1);
        // The end is exclusive, and what happens in this moment is in.
        Self::try_new(start_of(first, tz), now + TimeDelta::milliseconds(1), interval, zone)
    }
}

fn time_zone(name: &str) -> Result<Tz, SeriesError> {
    name.parse().map_err(|_| SeriesError::TimeZone(name.chars().take(64).collect()))
}

/// When a day begins. Where clocks go forward at midnight, it begins when the skipped hour has ended.
fn start_of(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let midnight = day.and_time(NaiveTime::MIN);
    let mut quarters = (0..=12).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
    let begin = quarters.find_map(|time| zone.from_local_datetime(&time).earliest());
    begin.map_or_else(|| midnight.and_utc(), |begin| begin.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn a_day_begins_at_local_midnight() {
        let range = Range::last_days(2, at("2026-03-30T05:00:00Z"), Interval::Day, "Europe/Berlin");
        assert_eq!(range.expect("valid").from, at("2026-03-28T23:00:00Z"));
    }

    #[test]
    fn a_day_without_midnight_begins_an_hour_later() {
        let range = Range::last_days(1, at("2018-11-04T12:00:00Z"), Interval::Day, "America/Sao_Paulo");
        assert_eq!(range.expect("valid").from, at("2018-11-04T03:00:00Z"));
    }

    #[test]
    fn too_many_points_are_refused() {
        let range =
            Range::try_new(at("2026-01-01T00:00:00Z"), at("2026-03-01T00:00:00Z"), Interval::Hour, "UTC");
        assert_eq!(range, Err(SeriesError::Buckets(1417)));
    }
}
