//! Events: recording and reading them.

mod entity;
mod error;
pub(crate) mod repo;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use pulse_graphql::Error;
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError};
use pulse_types::{EntityId, EventId, OrgId, Permission, Tag};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) use entity::{EventRow, NewEvent};
pub(crate) use error::{EventError, EventProblem};

pub(crate) const SUBJECT: &str = "analytics.events";

/// The attribute with the names of a batch's events; left out where there are too many.
pub(crate) const NAMES: &str = "names";

/// The attribute with the entities of a batch's events; left out where there are too many.
pub(crate) const ENTITIES: &str = "entities";

/// So many events are recorded at once.
const MAX_BATCH: usize = 1000;

/// So long ago an event may have happened.
const MAX_AGE_DAYS: i64 = 3653;

/// So many bytes an event's properties may have as JSON.
const MAX_PROPERTIES: usize = 16 * 1024;

/// By so many names, or entities, of a batch's events subscribers can route. A batch with more of them says none, which
/// means any.
const ROUTED: usize = 50;

/// What became of a batch.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Recorded {
    pub(crate) recorded: i64,
    pub(crate) duplicates: i64,
}

/// Records a batch of events: all or none.
pub(crate) async fn record(
    session: &Session,
    events: Vec<NewEvent>,
    key: Option<String>,
) -> Result<Recorded, Error<EventError>> {
    let org = session.caller().require(&Permission::ANALYTICS_WRITE)?;
    let store = session.store();
    check(&events, store.clock().now())?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(EventError::from)?;
    match write(session, org, &events, key.as_ref()).await {
        Err(Error::Store(StoreError::NoPartition { .. })) => {
            repo::make_months(store, months(&events, store.clock().now())).await?;
            write(session, org, &events, key.as_ref()).await
        }
        result => result,
    }
}

async fn write(
    session: &Session,
    org: OrgId,
    events: &[NewEvent],
    key: Option<&IdempotencyKey>,
) -> Result<Recorded, Error<EventError>> {
    let mut write = match session.write_once("analytics.recordEvents", key, &events).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => return serde_json::from_value(response).map_err(Error::internal),
    };
    // Ids of the same millisecond are in no order; sorted, they keep that of the events.
    let mut ids: Vec<EventId> = events.iter().map(|_| EventId::new(write.now())).collect();
    ids.sort_unstable();
    let (sent, first) = (i64::try_from(events.len()).unwrap_or(i64::MAX), ids[0]);
    let recorded = repo::insert_in_tx(&mut write, org, &ids, events).await?;
    if recorded > 0 {
        write.event(Event {
            kind: EventKind::Created,
            subject: SUBJECT,
            key: first.uuid(),
            version: 1,
            changed: vec![],
            attributes: attributes(events).into(),
            before: json!(null),
        });
    }
    let items = i32::try_from(recorded).unwrap_or(i32::MAX);
    let fact = AuditFact { action: "event:record", subject: SUBJECT, key: None, version: None, items };
    let recorded = Recorded { recorded, duplicates: sent - recorded };
    let response = serde_json::to_value(recorded).map_err(Error::internal)?;
    write.commit_with(fact, &response).await?;
    Ok(recorded)
}

/// What subscribers of events route by.
fn attributes(events: &[NewEvent]) -> Map<String, Value> {
    let names: BTreeSet<String> = events.iter().map(|event| event.name.clone()).collect();
    let entities: BTreeSet<String> =
        events.iter().filter_map(|event| event.entity_id.map(|id| id.to_string())).collect();
    let routed = [(NAMES, names), (ENTITIES, entities)].into_iter();
    let few = routed.filter(|(_, values)| values.len() <= ROUTED);
    few.map(|(name, values)| (name.to_owned(), values.into_iter().collect())).collect()
}

/// What a list or an aggregate of events is made of: of those of certain names, or of one entity, or all.
pub(crate) fn tags(names: Option<&[String]>, entity: Option<EntityId>) -> impl Iterator<Item = Tag> {
    let narrowed = move |tag: Tag| match entity {
        Some(id) => tag.with(ENTITIES, id.to_string()),
        None => tag,
    };
    let of_names =
        names.into_iter().flatten().map(move |name| narrowed(Tag::list(SUBJECT).with(NAMES, name)));
    of_names.chain(names.is_none().then(|| narrowed(Tag::list(SUBJECT))))
}

/// The months, by their first day in UTC, in which events happened.
fn months(events: &[NewEvent], now: DateTime<Utc>) -> BTreeSet<NaiveDate> {
    let days = events.iter().map(|event| event.at.unwrap_or(now).date_naive());
    days.filter_map(|day| day.with_day(1)).collect()
}

fn check(events: &[NewEvent], now: DateTime<Utc>) -> Result<(), EventError> {
    if !(1..=MAX_BATCH).contains(&events.len()) {
        return Err(EventError::BatchSize(events.len()));
    }
    for (index, event) in events.iter().enumerate() {
        check_event(event, now).map_err(|problem| EventError::Event { index, problem })?;
    }
    Ok(())
}

fn check_event(event: &NewEvent, now: DateTime<Utc>) -> Result<(), EventProblem> {
    let NewEvent { name, at, value, entity_id: _, actor_id: _, dedupe_key, properties } = event;
    let length = name.chars().count();
    if !(1..=200).contains(&length) {
        return Err(EventProblem::Name(length));
    }
    if let Some(at) = at.filter(|at| *at > now + TimeDelta::days(1)) {
        return Err(EventProblem::Future(at));
    }
    if let Some(at) = at.filter(|at| *at < now - TimeDelta::days(MAX_AGE_DAYS)) {
        return Err(EventProblem::Past(at));
    }
    if value.is_some_and(|value| !value.is_finite()) {
        return Err(EventProblem::Value);
    }
    let length = dedupe_key.as_ref().map_or(1, |key| key.chars().count());
    if !(1..=255).contains(&length) {
        return Err(EventProblem::DedupeKey(length));
    }
    let size = serde_json::to_string(properties).map_or(usize::MAX, |json| json.len());
    if size > MAX_PROPERTIES { Err(EventProblem::Properties(size)) } else { Ok(()) }
}
