//! Comparing the copy with what it is a copy of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use neo4rs::Query;
use pulse_types::OrgId;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::claim::{Held, tenants};
use super::client::Neo4jError;
use super::copy::{EntityCopy, RelationshipCopy};
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

/// How often a tenant that is written to is looked at again, until both sides are of one state.
const TRIES: usize = 200;

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

type Sums = BTreeMap<String, Sum>;

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
    /// another process writes the copy, which waits meanwhile.
    pub async fn verify(&self, only: Option<OrgId>) -> Result<Verified, ProjectionError> {
        let mut verified = Verified::default();
        for tenant in self.those(only).await? {
            let (rows, copied) = self.sums(tenant).await?;
            verified.tenants += 1;
            verified.things += rows.values().map(|sum| sum.count).sum::<u64>();
            let names: BTreeSet<&String> = rows.keys().chain(copied.keys()).collect();
            for of in names {
                let [rows, copied] = [&rows, &copied].map(|sums| sums.get(of).copied().unwrap_or_default());
                if rows != copied {
                    let difference =
                        Difference { tenant, of: of.clone(), rows: rows.count, copied: copied.count };
                    verified.differences.push(difference);
                }
            }
        }
        Ok(verified)
    }

    /// Reads the parts of these tenants, or of all, from their rows again. Meanwhile walks there go through PostgreSQL.
    pub async fn rebuild(&self, only: Option<OrgId>) -> Result<usize, ProjectionError> {
        let tenants = self.those(only).await?;
        for tenant in &tenants {
            let mut held = self.held.lock().await;
            let _lock = self.lock(true).await?;
            *held = None;
            let claimed = held.insert(Held::claim(&self.store, &self.neo4j).await?);
            claimed.to_read.retain(|other| other != tenant);
            claimed.to_read.push(*tenant);
            self.step_locked(&mut held).await?;
            while matches!(self.step_locked(&mut held).await?, Step::Applied(_)) {}
        }
        Ok(tenants.len())
    }

    async fn those(&self, only: Option<OrgId>) -> Result<Vec<OrgId>, ProjectionError> {
        match only {
            Some(tenant) => Ok(vec![tenant]),
            None => tenants(&self.store).await,
        }
    }

    /// Both sides, of one state.
    async fn sums(&self, tenant: OrgId) -> Result<(Sums, Sums), ProjectionError> {
        let mut held = self.held.lock().await;
        let _lock = self.lock(true).await?;
        *held = None;
        for _ in 0..TRIES {
            while !matches!(self.step_locked(&mut held).await?, Step::Idle) {}
            let session = load::session(&self.store, tenant);
            let log = self.neo4j.log_of(&self.store).await?;
            let standing = Projected::begin(&self.neo4j, log, tenant).await?.map(|part| part.standing());
            // A tenant without a place in the copy has never had an entity.
            let (applied, seen) = standing.map_or((0, 0), |standing| (standing.applied, standing.seen));
            let told = sqlx::query_as::<_, (bool,)>(IS_TOLD)
                .bind(SUBJECTS.map(str::to_owned).to_vec())
                .bind(applied)
                .bind(seen);
            let (told,) = session.fetch_one("graph.is_told", told).await?;
            if told {
                let mut rows = Sums::default();
                let mut last = Uuid::nil();
                loop {
                    let page = load::entities(&session, last).await?;
                    let Some(end) = page.last() else { break };
                    last = load::after(&end.id);
                    page.iter().for_each(|entity| add_entity(&mut rows, entity));
                }
                last = Uuid::nil();
                loop {
                    let page = load::relationships(&session, last).await?;
                    let Some(end) = page.last() else { break };
                    last = load::after(&end.id);
                    page.iter().for_each(|relationship| add_relationship(&mut rows, relationship));
                }
                return Ok((rows, self.copied(tenant).await?));
            }
        }
        Err(ProjectionError::LogStands(tenant))
    }

    async fn copied(&self, tenant: OrgId) -> Result<Sums, Neo4jError> {
        let mut sums = Sums::default();
        let entities: Vec<EntityNode> = self.neo4j.read_all(Query::new(of_tenant(ENTITIES, tenant))).await?;
        for EntityNode { id, type_name, version } in entities {
            add_entity(&mut sums, &EntityCopy { id, type_name, version });
        }
        let relationships: Vec<RelationshipNode> =
            self.neo4j.read_all(Query::new(of_tenant(RELATIONSHIPS, tenant))).await?;
        for RelationshipNode { id, type_name, source, target, confidence, version } in relationships {
            let copy = RelationshipCopy { id, type_name, source, target, confidence, version };
            add_relationship(&mut sums, &copy);
        }
        Ok(sums)
    }
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
