//! What analytics adds to `Organization`.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};
use pulse_types::{OrgId, Permission};

use super::Loaders;
use super::series::TimeSeriesPoint;
use crate::series::{Interval, Range, SeriesError};

/// An organization.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct Organization {
    /// Its id.
    id: OrgId,
}

/// How much happened in an organization.
#[derive(SimpleObject)]
pub(crate) struct Activity {
    /// Where it begins.
    from: DateTime<Utc>,
    /// Where it ends, exclusive.
    to: DateTime<Utc>,
    /// How many events there were.
    total: f64,
    /// How many events there were in each interval.
    points: Vec<TimeSeriesPoint>,
}

/// When, and cut how.
struct ActivityRequest {
    days: Option<i32>,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    interval: Interval,
    time_zone: String,
}

impl ActivityRequest {
    fn range(&self, now: DateTime<Utc>) -> Result<Range, SeriesError> {
        match (self.days, self.from, self.to) {
            (None, Some(from), Some(to)) => Range::try_new(from, to, self.interval, &self.time_zone),
            (days, None, None) => Range::last_days(days.unwrap_or(30), now, self.interval, &self.time_zone),
            _ => Err(SeriesError::DaysOrRange),
        }
    }
}

#[ComplexObject]
impl Organization {
    /// How many events were recorded: of the last days, or from one time to another.
    #[expect(clippy::too_many_arguments, reason = "each is an argument of the field")]
    async fn activity(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The last so many days of the time zone with today; 30, if no range is given.")]
        days: Option<i32>,
        #[graphql(desc = "From when on; needs `to`.")] from: Option<DateTime<Utc>>,
        #[graphql(desc = "Until when, exclusive; needs `from`.")] to: Option<DateTime<Utc>>,
        #[graphql(
            desc = "How long a point lasts; there may be 1000 points.",
            default_with = "Interval::Day"
        )]
        interval: Interval,
        #[graphql(
            desc = "The IANA time zone in which days, weeks and months begin.",
            default_with = "\"UTC\".to_owned()"
        )]
        time_zone: String,
    ) -> Option<Result<Activity, Error<SeriesError>>> {
        Some(self.load_activity(ctx, &ActivityRequest { days, from, to, interval, time_zone }).await)
    }
}

impl Organization {
    async fn load_activity(
        &self,
        ctx: &Context<'_>,
        request: &ActivityRequest,
    ) -> Result<Activity, Error<SeriesError>> {
        ctx.session().caller().require(&Permission::ANALYTICS_READ)?;
        let range = request.range(ctx.session().store().clock().now())?;
        let points = ctx.part::<Loaders>().activity.load(range).await?.unwrap_or_default();
        let total = points.iter().map(|(_, events)| events).sum();
        let points = points.into_iter().map(Into::into).collect();
        Ok(Activity { from: range.from, to: range.to, total, points })
    }
}

/// The entity lookup.
#[derive(Default)]
pub(crate) struct OrganizationQuery;

#[Object]
impl OrganizationQuery {
    /// Only the caller's own organization is looked up: the others' activity is not theirs to see.
    #[graphql(entity)]
    async fn find_organization(&self, ctx: &Context<'_>, #[graphql(key)] id: OrgId) -> Option<Organization> {
        (ctx.session().caller().org == Some(id)).then_some(Organization { id })
    }
}
