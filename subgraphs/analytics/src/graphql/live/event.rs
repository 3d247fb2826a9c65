//! Subscriptions: what is recorded.

use async_graphql::{Context, InputObject, SimpleObject, Subscription};
use chrono::{DateTime, Utc};
use pulse_events::Route;
use pulse_graphql::{AnyOf, Error, Following, Happened, Live, LiveError, Wanting, follow};
use pulse_types::{Change, Permission, UserId};
use serde_json::Value;

use crate::event::{NAMES, SUBJECT};

/// Which recorded events to hear of.
#[derive(Debug, Default, InputObject)]
pub(crate) struct EventsRecordedFilter {
    /// Batches with an event of one of these names. A batch of more than 50 different names is told of in any case.
    names: Option<Vec<String>>,
}

/// Events that were recorded together.
#[derive(SimpleObject)]
pub(crate) struct EventsRecorded {
    /// Their names, each once; null for a batch of more than 50 different ones.
    names: Option<Vec<String>>,
    /// The person who recorded them; null for Pulse itself.
    actor_id: Option<UserId>,
    /// When they were recorded.
    at: DateTime<Utc>,
    /// The place behind this event: subscribe with it as `after` to go on from here.
    cursor: String,
}

impl From<Happened> for EventsRecorded {
    fn from(Happened { change, cursor }: Happened) -> Self {
        let names = change.attributes.get(NAMES).and_then(Value::as_array);
        let text = |name: &Value| name.as_str().map(str::to_owned);
        let names = names.map(|names| names.iter().filter_map(text).collect());
        Self { names, actor_id: change.actor, at: change.at, cursor }
    }
}

/// Subscriptions to events.
#[derive(Default)]
pub(crate) struct EventSubscriptions;

#[Subscription]
impl EventSubscriptions {
    /// Tells of each batch of events that is recorded, once and in the order of the commits.
    async fn events_recorded(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which events to hear of; all unless given.")] filter: Option<EventsRecordedFilter>,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<EventsRecorded>, Error<LiveError>> {
        let names = AnyOf::try_new("names", filter.unwrap_or_default().names)?;
        let route = names.route_by(NAMES).unwrap_or(Route::All);
        let wanted = Wanting::by(route, move |change: &Change| names.has_attribute(change, NAMES));
        let permission = Permission::ANALYTICS_READ;
        follow(ctx, Following { subjects: &[SUBJECT], permission, after }, wanted).await
    }
}
