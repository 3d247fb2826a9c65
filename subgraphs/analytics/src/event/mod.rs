//! Events: recording and reading them.

mod entity;
mod error;
pub(crate) mod repo;

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use pulse_graphql::Error;
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, Session, StoreError};
use pulse_types::{EventId, OrgId, Permission};
use serde::{Deserialize, Serialize};
use serde_json::json;

pub(crate) use entity::{EventRow, NewEvent};
pub(crate) use error::{EventError, EventProblem};

const SUBJECT: &str = "analytics.events";

/// So many events are recorded at once.
const MAX_BATCH: usize = 1000;

/// So long ago an event may have happened.
const MAX_AGE_DAYS: i64 = 3653;

/// So many bytes an event's properties may have as JSON.
const MAX_PROPERTIES: usize = 16 * 1024;

/// So many names of a batch's events subscribers can route by.
const ROUTED_NAMES: usize = 50;

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
    let names: BTreeSet<&str> = events.iter().map(|event| event.name.as_str()).take(ROUTED_NAMES).collect();
    let (sent, first) = (i64::try_from(events.len()).unwrap_or(i64::MAX), ids[0]);
    let recorded = repo::insert_in_tx(&mut write, org, &ids, events).await?;
    if recorded > 0 {
        write.event(Event {
            kind: EventKind::Created,
            subject: SUBJECT,
            key: first.uuid(),
            version: 1,
            changed: vec![],
            attributes: json!({ "names": names }),
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
