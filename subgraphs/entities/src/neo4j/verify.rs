//! Comparing the copy with what it is a copy of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use neo4rs::Query;
use pulse_events::Log;
use pulse_store::{Connection, Session};
use pulse_types::OrgId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use uuid::Uuid;

use super::claim::{Held, tenants};
use super::client::Neo4jError;
use super::copy::{EntityCopy, NOT_READ, RelationshipCopy};
use super::edges::Projected;
use super::projector::{ProjectionError, Projector, Step};
use super::{SUBJECTS, load, of_tenant};

const ENTITIES: &str =
    "MATCH (e:TENANT) RETURN e.id AS id, coalesce(e.type, '') AS type, coalesce(e.version, 0) AS version";
const RELATIONSHIPS: &str = "MATCH (s:TENANT)-[r:R]->(t)
    RETURN r.id AS id, coalesce(r.type, '') AS type, s.id AS source, coalesce(t.id, '') AS target,
           coalesce(r.confidence, -1.0) AS confidence, coalesce(r.version, 0) AS version";

/// Whether what is committed is in the copy, and in the log that it is made of.
pub(crate) const IS_TOLD: &str = "SELECT platform.is_told($1, $2, $3)";

const TENANTS: &str = "MATCH (tenant:PulseTenant) WHERE tenant.log = $log RETURN tenant.org AS org";

/// For how long a tenant that is written to is looked at again, until both sides are of one state.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often.
const PAUSE: Duration = Duration::from_millis(5);

/// Things of one type: how many there are, and a sum of digests of what is copied of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    digest: u128,
}

/// Where the copy is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Of which tenant.
    pub tenant: OrgId,
    /// `entity` or `relationship`, and its type.
    pub of: String,
    /// How many there are.
    pub rows: u64,
    /// How many are in the copy.
    pub copied: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, of, rows, copied } = self;
        write!(formatter, "{tenant}: {of}: {rows} in PostgreSQL, {copied} in Neo4j")?;
        if rows == copied { formatter.write_str(", of which some differ") } else { Ok(()) }
    }
}

/// What was compared.
#[derive(Debug, Default)]
pub struct Verified {
    /// How many tenants.
    pub tenants: usize,
    /// How many entities and relationships they have.
    pub things: u64,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// How far comparing or reading anew is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Whose turn it is.
    pub tenant: OrgId,
    /// How many tenants are done.
    pub done: usize,
    /// Of so many.
    pub of: usize,
}

type Sums = BTreeMap<String, Sum>;

#[derive(Deserialize)]
struct TenantNode {
    org: String,
}

#[derive(Deserialize)]
struct EntityNode {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
    version: i64,
}

#[derive(Deserialize)]
struct RelationshipNode {
    id: String,
    #[serde(rename = "type")]
    type_name: String,
    source: String,
    target: String,
    confidence: f64,
    version: i64,
}

impl Projector {
    /// Compares the parts of these tenants, or of all, with their rows: numbers and checksums of each type. Works whether or not
    /// another process writes the copy, which waits while a tenant is compared.
    pub async fn verify(
        &self,
        only: Option<OrgId>,
        mut progress: impl FnMut(Progress),
    ) -> Result<Verified, ProjectionError> {
        let mut verified = Verified::default();
        let tenants = self.those(only).await?;
        for tenant in &tenants {
            progress(Progress { tenant: *tenant, done: verified.tenants, of: tenants.len() });
            let (rows, copied) = self.sums(*tenant).await?;
            verified.tenants += 1;
            verified.things += rows.values().map(|sum| sum.count).sum::<u64>();
            verified.differences.extend(differences(*tenant, &rows, &copied));
        }
        Ok(verified)
    }

    /// Reads the parts of these tenants, or of all, from their rows again; how many they are. Meanwhile walks there go through
    /// PostgreSQL.
    pub async fn rebuild(
        &self,
        only: Option<OrgId>,
        mut progress: impl FnMut(Progress),
    ) -> Result<usize, ProjectionError> {
        let tenants = self.those(only).await?;
        for (done, tenant) in tenants.iter().enumerate() {
            progress(Progress { tenant: *tenant, done, of: tenants.len() });
            let mut held = self.held.lock().await;
            let lock = self.lock(true).await?;
            *held = None;
            self.read_anew(&mut held, *tenant).await?;
            // Whoever waited for it goes on with what is left over.
            *held = None;
            release(lock).await?;
        }
        Ok(tenants.len())
    }

    async fn read_anew(&self, held: &mut Option<Held>, tenant: OrgId) -> Result<(), ProjectionError> {
        // Takes the copy over, and does something of what there is to do.
        self.step_locked(held).await?;
        if let Some(held) = held {
            // Neo4j remembers it, should this process be broken off.
            held.hold.begin_with(&[tenant], NOT_READ).await?;
            held.to_read.retain(|other| *other != tenant);
            held.to_read.push(tenant);
        }
        loop {
            match self.step_locked(held).await? {
                Step::Read(read) if read == tenant => break,
                Step::Read(_) | Step::Applied(_) => {}
                Step::Idle | Step::NotOurs => break,
            }
        }
        while matches!(self.step_locked(held).await?, Step::Applied(_)) {}
        Ok(())
    }

    /// Those that are compared: all that have entities, and all that the copy says it has.
    async fn those(&self, only: Option<OrgId>) -> Result<Vec<OrgId>, ProjectionError> {
        if let Some(tenant) = only {
            return Ok(vec![tenant]);
        }
        let mut those: BTreeSet<OrgId> = tenants(&self.store).await?.into_iter().collect();
        let log = self.neo4j.log_of(&self.store).await?;
        let copied: Vec<TenantNode> =
            self.neo4j.read_all(Query::new(TENANTS.to_owned()).param("log", log)).await?;
        those.extend(copied.iter().filter_map(|tenant| tenant.org.parse::<OrgId>().ok()));
        Ok(those.into_iter().collect())
    }

    /// Both sides, of one state.
    async fn sums(&self, tenant: OrgId) -> Result<(Sums, Sums), ProjectionError> {
        let mut held = self.held.lock().await;
        let lock = self.lock(true).await?;
        *held = None;
        let begun = Instant::now();
        let sums = loop {
            while !matches!(self.step_locked(&mut held).await?, Step::Idle) {}
            if let Some(session) = self.of_one_state(tenant).await? {
                let rows = stored(&session).await?;
                break (rows, self.copied(tenant).await?);
            }
            if begun.elapsed() > PATIENCE {
                return Err(ProjectionError::LogStands(tenant));
            }
            tokio::time::sleep(PAUSE).await;
        };
        *held = None;
        release(lock).await?;
        Ok(sums)
    }

    /// A snapshot that has what the copy has of a tenant, if that can be had now.
    async fn of_one_state(&self, tenant: OrgId) -> Result<Option<Session>, ProjectionError> {
        let log = self.neo4j.log_of(&self.store).await?;
        let standing = Projected::begin(&self.neo4j, log, tenant).await?.map(|part| part.standing());
        let (applied, seen) = match standing {
            Some(standing) => (standing.applied, standing.seen),
            // A tenant without a place in the copy has never had an entity.
            None => (Log::new(self.store.clone()).head().await?.position, 0),
        };
        let session = load::session(&self.store, tenant);
        let told = sqlx::query_as::<_, (bool,)>(IS_TOLD)
            .bind(SUBJECTS.map(str::to_owned).to_vec())
            .bind(applied)
            .bind(seen);
        let (told,) = session.fetch_one("graph.is_told", told).await?;
        Ok(told.then_some(session))
    }

    async fn copied(&self, tenant: OrgId) -> Result<Sums, Neo4jError> {
        let mut sums = Sums::default();
        let entity = |node: EntityNode| {
            let EntityNode { id, type_name, version } = node;
            add_entity(&mut sums, &EntityCopy { id, type_name, version });
        };
        self.neo4j.read_each(Query::new(of_tenant(ENTITIES, tenant)), entity).await?;
        let relationship = |node: RelationshipNode| {
            let RelationshipNode { id, type_name, source, target, confidence, version } = node;
            let copy = RelationshipCopy { id, type_name, source, target, confidence, version };
            add_relationship(&mut sums, &copy);
        };
        self.neo4j.read_each(Query::new(of_tenant(RELATIONSHIPS, tenant)), relationship).await?;
        Ok(sums)
    }
}

/// Ends a step that others wait for, at once.
async fn release(lock: Option<Connection>) -> Result<(), ProjectionError> {
    match lock {
        Some(lock) => Ok(lock.commit().await?),
        None => Ok(()),
    }
}

async fn stored(session: &Session) -> Result<Sums, ProjectionError> {
    let mut sums = Sums::default();
    let mut last = Uuid::nil();
    loop {
        let page = load::entities(session, last).await?;
        let Some(end) = page.last() else { break };
        last = load::after(&end.id);
        for entity in &page {
            add_entity(&mut sums, entity);
        }
    }
    last = Uuid::nil();
    loop {
        let page = load::relationships(session, last).await?;
        let Some(end) = page.last() else { break };
        last = load::after(&end.id);
        for relationship in &page {
            add_relationship(&mut sums, relationship);
        }
    }
    Ok(sums)
}

fn differences(tenant: OrgId, rows: &Sums, copied: &Sums) -> Vec<Difference> {
    let names: BTreeSet<&String> = rows.keys().chain(copied.keys()).collect();
    let sums = |of: &String| [rows, copied].map(|sums| sums.get(of).copied().unwrap_or_default());
    let differing = names.into_iter().filter_map(|of| {
        let [rows, copied] = sums(of);
        let difference = Difference { tenant, of: of.clone(), rows: rows.count, copied: copied.count };
        (rows != copied).then_some(difference)
    });
    differing.collect()
}

fn add_entity(sums: &mut Sums, entity: &EntityCopy) {
    let EntityCopy { id, type_name, version } = entity;
    add(sums, format!("entity {type_name}"), &format!("{id} {version}"));
}

fn add_relationship(sums: &mut Sums, relationship: &RelationshipCopy) {
    let RelationshipCopy { id, type_name, source, target, confidence, version } = relationship;
    let what = format!("{id} {source} {target} {} {version}", confidence.to_bits());
    add(sums, format!("relationship {type_name}"), &what);
}

/// A sum, so that the order in which things come does not matter.
fn add(sums: &mut Sums, of: String, what: &str) {
    let digest = Sha256::digest(what.as_bytes());
    let part = digest.iter().take(16).fold(0_u128, |all, byte| all << 8 | u128::from(*byte));
    let sum = sums.entry(of).or_default();
    sum.count += 1;
    sum.digest = sum.digest.wrapping_add(part);
}
