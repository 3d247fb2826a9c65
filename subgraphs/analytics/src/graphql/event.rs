//! `AnalyticsEvent`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, JsonObject, Page, PageLimits, Total};
use pulse_types::{EntityId, EventId, Permission, UserId};

use super::entity::Entity;
use crate::event::repo::EventFilter;
use crate::event::{self, EventError, EventRow, NewEvent};

/// Something that happened at a time.
#[derive(SimpleObject)]
pub(crate) struct AnalyticsEvent {
    /// Its id.
    id: EventId,
    /// When it happened.
    at: DateTime<Utc>,
    /// What happened.
    name: String,
    /// What is summed.
    value: Option<f64>,
    /// The entity that it happened to.
    entity: Option<Entity>,
    /// The id of the person who did it.
    actor_id: Option<UserId>,
    /// What is kept with it.
    properties: JsonObject,
}

/// An event to be recorded.
#[derive(InputObject)]
pub(crate) struct EventInput {
    /// What happened, such as `page.viewed`, 1 to 200 characters.
    name: String,
    /// When it happened; now, if left out. At most a day ahead and ten years ago.
    at: Option<DateTime<Utc>>,
    /// What is summed; an event without a value is only counted.
    value: Option<f64>,
    /// The entity that it happened to.
    entity_id: Option<EntityId>,
    /// The person who did it.
    actor_id: Option<UserId>,
    /// Your own id of the event, 1 to 255 characters: of two with the same key and time the first counts.
    dedupe_key: Option<String>,
    /// What is kept with it and can be grouped by, at most 16 kB as JSON.
    #[graphql(default)]
    properties: JsonObject,
}

/// A batch of events.
#[derive(InputObject)]
pub(crate) struct RecordEventsInput {
    /// 1 to 1000 events.
    events: Vec<EventInput>,
    /// Makes the request safe to repeat: with the same key it is done once.
    idempotency_key: Option<String>,
}

/// What became of the batch.
#[derive(SimpleObject)]
pub(crate) struct RecordEventsPayload {
    /// How many events were recorded.
    recorded: i64,
    /// How many were there already, by their `dedupeKey` and time.
    duplicates: i64,
}

impl From<EventRow> for AnalyticsEvent {
    fn from(row: EventRow) -> Self {
        let EventRow { at, id, name, value, entity_id, actor_id, properties } = row;
        let entity = entity_id.map(|id| Entity { id });
        Self { id, at, name, value, entity, actor_id, properties: properties.0 }
    }
}

/// Queries about events.
#[derive(Default)]
pub(crate) struct EventQuery;

#[Object]
impl EventQuery {
    /// The organization's events, the latest first.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: Option<EventFilter>,
    ) -> Result<Connection<AnalyticsEvent>, Error<EventError>> {
        let session = ctx.session();
        let org = session.caller().require(&Permission::ANALYTICS_READ)?;
        let page =
            Page::try_new((first, after), (last, before), PageLimits::USUAL).map_err(EventError::from)?;
        let filter = filter.unwrap_or_default();
        let rows = event::repo::page(session, org, &filter, &page).await?;
        let total = Total::new(move |session| {
            let filter = filter.clone();
            async move { event::repo::count(&session, org, &filter).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.at, row.id)), row.into())))
    }
}

/// Mutations of events.
#[derive(Default)]
pub(crate) struct EventMutation;

#[Object]
impl EventMutation {
    /// Records a batch of events: all or none.
    async fn record_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The events.")] input: RecordEventsInput,
    ) -> Result<RecordEventsPayload, Error<EventError>> {
        let RecordEventsInput { events, idempotency_key } = input;
        let events = events.into_iter().map(|event| {
            let EventInput { name, at, value, entity_id, actor_id, dedupe_key, properties } = event;
            NewEvent { name, at, value, entity_id, actor_id, dedupe_key, properties }
        });
        let done = event::record(ctx.session(), events.collect(), idempotency_key).await?;
        Ok(RecordEventsPayload { recorded: done.recorded, duplicates: done.duplicates })
    }
}
