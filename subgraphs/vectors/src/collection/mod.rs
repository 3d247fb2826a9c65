//! Collections: what may be done with them.

mod entity;
mod error;
mod jobs;
pub(crate) mod repo;

use std::time::Duration;

use pulse_graphql::Error;
use pulse_store::{AuditFact, Begun, Event, EventKind, IdempotencyKey, NewJob, Session, StoreError, Write};
use pulse_types::{CollectionId, Permission};
use serde::Serialize;
use serde_json::json;

pub(crate) use entity::CollectionRow;
pub(crate) use entity::{IndexStatus, Metric};
pub(crate) use error::CollectionError;
pub(crate) use jobs::{BuildIndex, DropPartition};

use crate::sight;

pub(crate) const SUBJECT: &str = "vectors.collection";

/// What its items are together; their key is the collection's.
pub(crate) const ITEMS: &str = "vectors.items";

/// So many collections an organization may have: what refers to an entity is looked up in all of them.
const MAX_COLLECTIONS: i64 = 100;

/// What a new collection is made of.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewCollection {
    pub(crate) name: String,
    pub(crate) dimension: i32,
    pub(crate) metric: Metric,
    pub(crate) m: i32,
    pub(crate) ef_construction: i32,
    pub(crate) ef_search: i32,
    pub(crate) exact_below: i32,
}

/// What is to change of a collection; `None` stays.
#[derive(Debug, Clone, Default)]
pub(crate) struct CollectionChange {
    pub(crate) name: Option<String>,
    pub(crate) ef_search: Option<i32>,
    pub(crate) exact_below: Option<i32>,
    pub(crate) expected_version: Option<i64>,
}

/// One collection.
pub(crate) async fn get(session: &Session, id: CollectionId) -> Result<Option<CollectionRow>, Error> {
    sight::may_read(session.caller())?;
    Ok(repo::find(session, id).await?)
}

/// Makes a collection and its partition.
pub(crate) async fn create(
    session: &Session,
    new: NewCollection,
    key: Option<String>,
) -> Result<CollectionRow, Error<CollectionError>> {
    let org = sight::may_create(session.caller())?;
    check(&new)?;
    let key = key.map(IdempotencyKey::try_new).transpose().map_err(CollectionError::from)?;
    let mut write = match session.write_once("vectors.createCollection", key.as_ref(), &new).await? {
        Begun::New(write) => write,
        Begun::Repeated(response) => return repeated(session, &response).await,
    };
    let id = CollectionId::new(write.now());
    let row = match repo::insert_in_tx(&mut write, org, id, &new, MAX_COLLECTIONS).await {
        Err(error) if error.is_duplicate_of("collections_name") => {
            return Err(CollectionError::NameTaken(new.name).into());
        }
        row => row?.ok_or(CollectionError::TooMany(MAX_COLLECTIONS))?,
    };
    repo::create_partition_in_tx(&mut write, id).await?;
    write.event(event(EventKind::Created, &row, vec![]));
    write.commit_with(fact("collection:create", &row), &json!({ "id": id })).await?;
    Ok(row)
}

/// Changes a collection. What is the same already changes nothing.
pub(crate) async fn update(
    session: &Session,
    id: CollectionId,
    change: CollectionChange,
) -> Result<CollectionRow, Error<CollectionError>> {
    sight::may_some(session.caller(), &Permission::COLLECTION_MANAGE)?;
    check_change(&change)?;
    let actor = session.caller().actor();
    let mut write = session.write().await?;
    let old = repo::lock_in_tx(&mut write, id).await?.ok_or(CollectionError::NotFound(id))?;
    sight::require_on(session.caller(), &Permission::COLLECTION_MANAGE, id)?;
    if let Some(expected) = change.expected_version.filter(|expected| *expected != old.version) {
        return Err(CollectionError::VersionMismatch { expected, actual: old.version }.into());
    }
    let mut new = old.clone();
    let mut changed = vec![];
    let CollectionChange { name, ef_search, exact_below, expected_version: _ } = change;
    replace(&mut new.name, name, "name", &mut changed);
    replace(&mut new.ef_search, ef_search, "efSearch", &mut changed);
    replace(&mut new.exact_below, exact_below, "exactBelow", &mut changed);
    if changed.is_empty() {
        return Ok(old);
    }
    repo::keep_in_tx(&mut write, id, actor).await?;
    let row = match repo::update_in_tx(&mut write, &new).await {
        Err(error) if error.is_duplicate_of("collections_name") => {
            return Err(CollectionError::NameTaken(new.name).into());
        }
        row => row?,
    };
    build_index_when_grown(&mut write, &row);
    write.event(event(EventKind::Updated, &row, changed));
    write.commit(fact("collection:update", &row)).await?;
    Ok(row)
}

/// Hides a collection at once; a job drops its items.
pub(crate) async fn delete(
    session: &Session,
    id: CollectionId,
) -> Result<CollectionId, Error<CollectionError>> {
    sight::may_some(session.caller(), &Permission::COLLECTION_MANAGE)?;
    let actor = session.caller().actor();
    let mut write = session.write().await?;
    repo::lock_in_tx(&mut write, id).await?.ok_or(CollectionError::NotFound(id))?;
    sight::require_on(session.caller(), &Permission::COLLECTION_MANAGE, id)?;
    repo::keep_in_tx(&mut write, id, actor).await?;
    let row = repo::mark_deleted_in_tx(&mut write, id).await?;
    write.enqueue(job(jobs::DROP_PARTITION, id, 20));
    write.event(event(EventKind::Deleted, &row, vec![]));
    write.commit(fact("collection:delete", &row)).await?;
    Ok(id)
}

/// Counts `added` items more (or fewer) and tells that the items changed.
pub(crate) async fn count_items_in_tx(
    write: &mut Write,
    id: CollectionId,
    added: i64,
) -> Result<CollectionRow, StoreError> {
    let row = repo::count_in_tx(write, id, added).await?;
    build_index_when_grown(write, &row);
    write.event(Event {
        kind: EventKind::Updated,
        subject: ITEMS,
        key: id.uuid(),
        version: row.revision,
        changed: vec!["items"],
        attributes: json!({}),
        before: json!(null),
    });
    Ok(row)
}

fn build_index_when_grown(write: &mut Write, row: &CollectionRow) {
    if row.has_outgrown_exact() && row.index_status != IndexStatus::Hnsw {
        write.enqueue(job(jobs::BUILD_INDEX, row.id, 5));
    }
}

fn job(kind: &'static str, id: CollectionId, max_attempts: i32) -> NewJob {
    NewJob {
        kind,
        payload: json!({ "collection": id }),
        priority: 0,
        max_attempts,
        delay: Duration::ZERO,
        unique_key: Some(id.to_string()),
    }
}

async fn repeated(
    session: &Session,
    response: &serde_json::Value,
) -> Result<CollectionRow, Error<CollectionError>> {
    let id: CollectionId = serde_json::from_value(response["id"].clone()).map_err(Error::internal)?;
    Ok(repo::find(session, id).await?.ok_or(CollectionError::NotFound(id))?)
}

fn check(new: &NewCollection) -> Result<(), CollectionError> {
    check_name(&new.name)?;
    let pgvector = ", the most that the HNSW index of pgvector takes";
    check_range("dimension", new.dimension, (1, 2000), pgvector)?;
    check_range("index.m", new.m, (2, 100), "")?;
    check_range(
        "index.efConstruction",
        new.ef_construction,
        (2 * new.m.max(2), 1000),
        ", at least twice `m`",
    )?;
    check_range("index.efSearch", new.ef_search, (1, 1000), "")?;
    check_range("index.exactBelow", new.exact_below, (0, 100_000), "")
}

fn check_change(change: &CollectionChange) -> Result<(), CollectionError> {
    change.name.as_deref().map_or(Ok(()), check_name)?;
    change.ef_search.map_or(Ok(()), |given| check_range("efSearch", given, (1, 1000), ""))?;
    change.exact_below.map_or(Ok(()), |given| check_range("exactBelow", given, (0, 100_000), ""))
}

fn check_name(name: &str) -> Result<(), CollectionError> {
    match name.chars().count() {
        1..=200 => Ok(()),
        length => Err(CollectionError::NameLength(length)),
    }
}

fn check_range(
    field: &'static str,
    given: i32,
    (min, max): (i32, i32),
    why: &'static str,
) -> Result<(), CollectionError> {
    if (min..=max).contains(&given) {
        Ok(())
    } else {
        Err(CollectionError::Range { field, given, min, max, why })
    }
}

fn replace<T: PartialEq>(old: &mut T, new: Option<T>, field: &'static str, changed: &mut Vec<&'static str>) {
    if let Some(new) = new.filter(|new| new != old) {
        *old = new;
        changed.push(field);
    }
}

pub(crate) fn event(kind: EventKind, row: &CollectionRow, changed: Vec<&'static str>) -> Event {
    Event {
        kind,
        subject: SUBJECT,
        key: row.id.uuid(),
        version: row.version,
        changed,
        attributes: json!({}),
        before: json!(null),
    }
}

pub(crate) fn fact(action: &'static str, row: &CollectionRow) -> AuditFact {
    AuditFact { action, subject: SUBJECT, key: Some(row.id.uuid()), version: Some(row.version), items: 1 }
}
