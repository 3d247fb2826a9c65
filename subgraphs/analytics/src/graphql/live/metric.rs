//! Subscriptions: how a metric changes.

use async_graphql::{Context, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use futures::StreamExt;
use pulse_events::Route;
use pulse_graphql::{
    AnyOf, ContextExt, Error, Following, Happened, Live, LiveError, Wanting, follow_remembering, newest,
};
use pulse_store::Session;
use pulse_types::{Change, EntityId, Permission};

use crate::event::{ENTITIES, NAMES, SUBJECT};
use crate::metric::{self, Metric, MetricRow};
use crate::series::Interval;

/// Which events a metric is made of.
#[derive(Debug, InputObject)]
pub(crate) struct MetricInput {
    /// Those of this name.
    name: String,
    /// Only those that happened to this entity.
    entity_id: Option<EntityId>,
    /// How long the interval lasts over which is counted: the one that is under way, in UTC.
    #[graphql(default_with = "Interval::Day")]
    interval: Interval,
}

/// What a metric has come to.
#[derive(SimpleObject)]
pub(crate) struct MetricChange {
    /// The name of its events.
    name: String,
    /// When the interval began over which is counted.
    since: DateTime<Utc>,
    /// How many events there were in it.
    count: i64,
    /// The sum of their values; an event without a value adds nothing.
    sum: f64,
    /// When the events were recorded by which it changed.
    at: DateTime<Utc>,
    /// The place behind this event: subscribe with it as `after` to go on from here.
    cursor: String,
}

/// Subscriptions to metrics.
#[derive(Default)]
pub(crate) struct MetricSubscriptions;

#[Subscription]
impl MetricSubscriptions {
    /// Tells what a metric has come to in the interval under way, whenever events have changed it. What comes in while a
    /// value is read and told is counted together. Needs `analytics:read`.
    async fn metric_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which events are counted, over which interval.")] metric: MetricInput,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<MetricChange>, Error<LiveError>> {
        let MetricInput { name, entity_id, interval } = metric;
        let names = AnyOf::try_new("names", Some(vec![name.clone()]))?;
        let entities = AnyOf::try_new("entityId", entity_id.map(|id| vec![id.to_string()]))?;
        let route = names.route_by(NAMES).unwrap_or(Route::All);
        let wanted = Wanting::by(route, move |change: &Change| {
            names.has_attribute(change, NAMES) && entities.has_attribute(change, ENTITIES)
        });
        let following = Following { subjects: &[SUBJECT], permission: Permission::ANALYTICS_READ, after };
        let happened = newest(follow_remembering::<Happened>(ctx, following, wanted).await?);
        let (session, metric) = (ctx.session().clone(), Metric { name, entity: entity_id, interval });
        let mut told = None;
        let changes = happened.then(move |happened| read(session.clone(), metric.clone(), happened));
        // A batch may have had events of another time alone.
        let differs = changes.filter(move |change| {
            let values =
                change.as_ref().ok().map(|change| (change.since, change.count, change.sum.to_bits()));
            let differs = values.is_none() || values != told;
            told = values.or(told);
            std::future::ready(differs)
        });
        Ok(differs.boxed())
    }
}

/// The metric as it is by now.
async fn read(
    session: Session,
    metric: Metric,
    happened: Result<Happened, Error<LiveError>>,
) -> Result<MetricChange, Error<LiveError>> {
    let Happened { change, cursor } = happened?;
    let read = metric::now(&session, &metric).await;
    // Where nothing is told, nobody else ends the snapshot.
    session.forget().await;
    let MetricRow { since, count, sum } = read.map_err(|error| error.map_client(|never| match never {}))?;
    Ok(MetricChange { name: metric.name, since, count, sum, at: change.at, cursor })
}
