//! Taking over the copy, and beginning one where there is none.

use std::collections::HashSet;

use neo4rs::Query;
use pulse_events::Log;
use pulse_store::Store;
use pulse_types::OrgId;
use serde::Deserialize;
use uuid::Uuid;

use super::client::Neo4j;
use super::copy::{Hold, NOT_READ};
use super::projector::ProjectionError;

const SCHEMA: [&str; 3] = [
    "CREATE CONSTRAINT pulse_log IF NOT EXISTS FOR (log:PulseLog) REQUIRE log.name IS UNIQUE",
    "CREATE CONSTRAINT pulse_tenant IF NOT EXISTS FOR (tenant:PulseTenant) REQUIRE tenant.key IS UNIQUE",
    "CREATE INDEX pulse_tenant_floor IF NOT EXISTS FOR (tenant:PulseTenant) ON (tenant.floor)",
];
const CLAIM: &str =
    "MERGE (log:PulseLog {name: $log}) ON CREATE SET log.epoch = 0 SET log.epoch = log.epoch + 1
    RETURN log.epoch AS epoch, coalesce(log.position, -1) AS position";
const TO_READ: &str =
    "MATCH (tenant:PulseTenant) WHERE tenant.floor = $floor AND tenant.log = $log RETURN tenant.org AS org";
const HELD: &str =
    "MATCH (log:PulseLog {name: $log}) RETURN log.epoch AS epoch, coalesce(log.position, -1) AS position";

/// How many tenants are named in one statement.
const TENANTS: usize = 1_000;

/// The copy, which this process writes.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) hold: Hold,
    /// Everything up to here is applied.
    pub(super) position: i64,
    /// Tenants whose parts have to be read from their rows.
    pub(super) to_read: Vec<OrgId>,
    /// Tenants whose entities are known to be found by their ids.
    pub(super) indexed: HashSet<OrgId>,
}

#[derive(Deserialize)]
struct Claimed {
    epoch: i64,
    position: i64,
}

#[derive(Deserialize)]
struct Tenant {
    org: String,
}

impl Held {
    /// Takes over the copy from whoever has written it. One that is empty, or is of a place that the log does not have, begins at
    /// the log's end, and all its parts are to be read.
    pub(super) async fn claim(store: &Store, neo4j: &Neo4j) -> Result<Self, ProjectionError> {
        let log = neo4j.log_of(store).await?.to_owned();
        for statement in SCHEMA {
            neo4j.alone(statement.to_owned()).await?;
        }
        let mut writing = neo4j.begin().await?;
        let claimed: Vec<Claimed> = writing.rows(Query::new(CLAIM.to_owned()).param("log", &*log)).await?;
        writing.commit().await?;
        let Some(Claimed { epoch, position }) = claimed.into_iter().next() else {
            return Err(super::Neo4jError::TakenOver.into());
        };
        let hold = Hold { neo4j: neo4j.clone(), log, epoch };
        let head = Log::new(store.clone()).head().await?;
        let is_of_log = position >= head.oldest - 1 && position <= head.position;
        let position = if is_of_log {
            position
        } else {
            tracing::info!(position = head.position, "the graph's copy in Neo4j begins anew");
            // Tenants that have their first entity later are found in the log.
            begin_anew(store, &hold, head.position).await?;
            head.position
        };
        let to_read = Query::new(TO_READ.to_owned()).param("floor", NOT_READ).param("log", &*hold.log);
        let to_read: Vec<Tenant> = neo4j.read_all(to_read).await?;
        let to_read = to_read.iter().filter_map(|tenant| tenant.org.parse().ok()).collect();
        Ok(Self { hold, position, to_read, indexed: HashSet::new() })
    }

    /// Whether the copy is still there as this process has left it.
    pub(super) async fn is_there(&self) -> Result<bool, ProjectionError> {
        let asked = Query::new(HELD.to_owned()).param("log", &*self.hold.log);
        let found: Vec<Claimed> = self.hold.neo4j.read_all(asked).await?;
        Ok(found
            .first()
            .is_some_and(|found| (found.epoch, found.position) == (self.hold.epoch, self.position)))
    }
}

async fn begin_anew(store: &Store, hold: &Hold, position: i64) -> Result<(), ProjectionError> {
    let tenants = tenants(store).await?;
    let mut writing = hold.begin().await?;
    for tenants in tenants.chunks(TENANTS) {
        writing.run(hold.begun(tenants, NOT_READ)).await?;
    }
    // Parts of tenants that have no entities any more.
    let others = "MATCH (tenant:PulseTenant) WHERE tenant.log = $log SET tenant.floor = $floor";
    writing.run(Query::new(others.to_owned()).param("log", &*hold.log).param("floor", NOT_READ)).await?;
    let begin = "MATCH (log:PulseLog {name: $log}) SET log.position = $position";
    writing.run(Query::new(begin.to_owned()).param("log", &*hold.log).param("position", position)).await?;
    Ok(writing.commit().await?)
}

/// All tenants that have entities.
pub(super) async fn tenants(store: &Store) -> Result<Vec<OrgId>, ProjectionError> {
    let (mut tenants, mut behind) = (Vec::new(), Uuid::nil());
    loop {
        let mut connection = store.system().await?;
        let next = sqlx::query_as("SELECT entities.next_tenant($1)").bind(behind);
        let (next,): (Option<Uuid>,) = connection.fetch_one("graph.next_tenant", next).await?;
        let Some(next) = next else { return Ok(tenants) };
        tenants.push(OrgId::from_uuid(next));
        behind = next;
    }
}
