//! Reading a tenant's part of the copy from its rows.
//!
//! Rows are read page by page, while writes go on. What changes meanwhile comes by the log as well: events that were not applied
//! when reading began are applied after it, and of two versions the later stays. So the part is the same as the rows as soon as
//! everything is applied that reading may have seen.

use std::sync::Arc;
use std::time::Duration;

use neo4rs::Query;
use pulse_store::{Session, Store};
use pulse_types::{Caller, EntityId, OrgId, RelationshipId, RequestId};
use serde::Deserialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::copy::{EntityCopy, Hold, NOT_READ, RelationshipCopy, Source, Work, write};
use super::projector::ProjectionError;
use super::{SUBJECTS, key_of, of_tenant};

/// How many rows are read, and written, at once.
const PAGE: i64 = 5_000;
/// How long the log may take to know what was read.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(10);

const GENERATION: &str =
    "MATCH (tenant:PulseTenant {key: $key}) SET tenant.generation = tenant.generation + 1
    RETURN tenant.generation AS count";
const SWEEP_RELATIONSHIPS: &str = "MATCH (:TENANT)-[r:R]->() WHERE coalesce(r.generation, -1) <> $generation
    WITH r LIMIT $limit DELETE r RETURN count(*) AS count";
const SWEEP_ENTITIES: &str = "MATCH (e:TENANT) WHERE coalesce(e.generation, -1) <> $generation
    WITH e LIMIT $limit DETACH DELETE e RETURN count(*) AS count";
const FLOOR: &str = "MATCH (tenant:PulseTenant {key: $key}) SET tenant.floor = $floor";

/// Rows of entities, in order of their ids.
pub(super) const ENTITIES: &str =
    "SELECT id, type, version FROM entities.entities WHERE id > $1 ORDER BY id LIMIT $2";
/// Rows of relationships, in order of their ids.
pub(super) const RELATIONSHIPS: &str = "SELECT id, type, source_id, target_id, confidence, version
    FROM entities.relationships WHERE id > $1 ORDER BY id LIMIT $2";

#[derive(Deserialize)]
struct Count {
    count: i64,
}

/// A session of Pulse itself in a tenant.
pub(super) fn session(store: &Store, tenant: OrgId) -> Session {
    let request = RequestId::new(store.clock().now());
    store.session(Arc::new(Caller::system(tenant, request)))
}

/// A page of entities after one, from the snapshot of `session`.
pub(super) async fn entities(session: &Session, after: Uuid) -> Result<Vec<EntityCopy>, ProjectionError> {
    let page = sqlx::query_as::<_, (EntityId, String, i64)>(ENTITIES).bind(after).bind(PAGE);
    let rows = session.fetch_all("graph.entities", page).await?;
    Ok(rows
        .into_iter()
        .map(|(id, type_name, version)| EntityCopy { id: id.to_string(), type_name, version })
        .collect())
}

type RelationshipColumns = (RelationshipId, String, EntityId, EntityId, f64, i64);

/// A page of relationships after one, from the snapshot of `session`.
pub(super) async fn relationships(
    session: &Session,
    after: Uuid,
) -> Result<Vec<RelationshipCopy>, ProjectionError> {
    let page = sqlx::query_as::<_, RelationshipColumns>(RELATIONSHIPS).bind(after).bind(PAGE);
    let rows = session.fetch_all("graph.relationships", page).await?;
    let copy = |(id, type_name, source, target, confidence, version): RelationshipColumns| RelationshipCopy {
        id: id.to_string(),
        type_name,
        source: source.to_string(),
        target: target.to_string(),
        confidence,
        version,
    };
    Ok(rows.into_iter().map(copy).collect())
}

/// The id by which the next page begins.
pub(super) fn after(id: &str) -> Uuid {
    Uuid::try_parse(id).unwrap_or(Uuid::max())
}

/// Makes the part of `tenant` be what its rows are. It is walked through again when what reading may have seen is applied.
pub(super) async fn load(store: &Store, hold: &Hold, tenant: OrgId) -> Result<(), ProjectionError> {
    hold.begin_with(&[tenant], NOT_READ).await?;
    hold.index(tenant).await?;
    let key = key_of(&hold.log, tenant);
    let mut writing = hold.begin().await?;
    let generation: Vec<Count> = writing.rows(Query::new(GENERATION.to_owned()).param("key", &*key)).await?;
    writing.commit().await?;
    let generation = generation.first().map_or(1, |generation| generation.count);

    let session = session(store, tenant);
    let mut last = Uuid::nil();
    loop {
        let entities = entities(&session, last).await?;
        session.forget().await;
        let Some(end) = entities.last() else { break };
        last = after(&end.id);
        save(hold, tenant, generation, Work { entities, ..Work::default() }).await?;
    }
    last = Uuid::nil();
    loop {
        let relationships = relationships(&session, last).await?;
        session.forget().await;
        let Some(end) = relationships.last() else { break };
        last = after(&end.id);
        save(hold, tenant, generation, Work { relationships, ..Work::default() }).await?;
    }
    for sweep in [SWEEP_RELATIONSHIPS, SWEEP_ENTITIES] {
        while swept(hold, tenant, generation, sweep).await? == PAGE {}
    }
    let floor = told(store, tenant).await?;
    let mut writing = hold.begin().await?;
    writing.run(Query::new(FLOOR.to_owned()).param("key", &*key).param("floor", floor)).await?;
    Ok(writing.commit().await?)
}

async fn save(hold: &Hold, tenant: OrgId, generation: i64, work: Work) -> Result<(), ProjectionError> {
    let mut writing = hold.begin().await?;
    write(&mut writing, tenant, Source::Rows(generation), &work).await?;
    Ok(writing.commit().await?)
}

/// Deletes a page of what was there before and is not among the rows; how much it was.
async fn swept(hold: &Hold, tenant: OrgId, generation: i64, sweep: &str) -> Result<i64, ProjectionError> {
    let mut writing = hold.begin().await?;
    let query = Query::new(of_tenant(sweep, tenant)).param("generation", generation).param("limit", PAGE);
    let swept: Vec<Count> = writing.rows(query).await?;
    writing.commit().await?;
    Ok(swept.first().map_or(0, |swept| swept.count))
}

/// The log's end once it has all that this tenant has committed until now.
async fn told(store: &Store, tenant: OrgId) -> Result<i64, ProjectionError> {
    let mut connection = store.system().await?;
    let moving = sqlx::query_as::<_, (i64,)>(
        "SELECT id FROM platform.outbox WHERE tenant = $1 AND subject = ANY ($2)",
    );
    let moving = moving.bind(tenant).bind(SUBJECTS.map(str::to_owned).to_vec());
    let moving = connection.fetch_all("graph.moving", moving).await?;
    let moving: Vec<i64> = moving.into_iter().map(|(id,)| id).collect();
    drop(connection);
    let begun = Instant::now();
    loop {
        let mut connection = store.system().await?;
        let left = sqlx::query_as::<_, (bool, i64)>(
            "SELECT EXISTS (SELECT FROM platform.outbox WHERE id = ANY ($1)), position FROM platform.log_head",
        );
        let (left, head) = connection.fetch_one("graph.told", left.bind(&moving)).await?;
        drop(connection);
        if !left {
            return Ok(head);
        }
        if begun.elapsed() > PATIENCE {
            return Err(ProjectionError::LogStands(tenant));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
