//! Writing the copy: what is written, and that one process at a time writes it.

use neo4rs::{BoltMap, BoltType, Query};
use pulse_types::OrgId;

use super::client::{Neo4j, Neo4jError, Writing};
use super::{key_of, of_tenant};

/// A tenant whose part was not read yet is written to until the end of all logs.
pub(super) const NOT_READ: i64 = i64::MAX;

const FENCE: &str = "MATCH (log:PulseLog {name: $log}) WHERE log.epoch = $epoch SET log.epoch = $epoch RETURN log.epoch AS epoch";
const BEGIN: &str = include_str!("queries/begin.cypher");
const END: &str = include_str!("queries/end.cypher");
const SAVE_ENTITIES: &str = include_str!("queries/save_entities.cypher");
const SAVE_RELATIONSHIPS: &str = include_str!("queries/save_relationships.cypher");
const DELETE_RELATIONSHIPS: &str = include_str!("queries/delete_relationships.cypher");
const DELETE_ENTITIES: &str = include_str!("queries/delete_entities.cypher");

/// An entity as a walk looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntityCopy {
    pub(super) id: String,
    pub(super) type_name: String,
    pub(super) version: i64,
}

/// A relationship as a walk looks at it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RelationshipCopy {
    pub(super) id: String,
    pub(super) type_name: String,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) confidence: f64,
    pub(super) version: i64,
}

/// What to do with one tenant's part.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) entities: Vec<EntityCopy>,
    pub(super) relationships: Vec<RelationshipCopy>,
    /// Relationships that are gone: id, source and target.
    pub(super) gone_relationships: Vec<(String, String, String)>,
    /// Entities that are gone.
    pub(super) gone_entities: Vec<String>,
}

/// The right to write the copy: the epoch that this process has begun. Whoever begins another one takes it away.
#[derive(Debug, Clone)]
pub(super) struct Hold {
    pub(super) neo4j: Neo4j,
    pub(super) log: String,
    pub(super) epoch: i64,
}

#[derive(serde::Deserialize)]
pub(super) struct Epoch {
    #[expect(dead_code, reason = "that it is there is the answer")]
    epoch: i64,
}

/// Who writes what stands there already: a copy from rows, or changes that come in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// From the rows themselves, in this generation.
    Rows(i64),
    /// From changes: what is newer already stays.
    Changes,
}

impl Hold {
    /// A transaction that holds the copy against other writers until it ends.
    pub(super) async fn begin(&self) -> Result<Writing, Neo4jError> {
        let mut writing = self.neo4j.begin().await?;
        let fence = Query::new(FENCE.to_owned()).param("log", &*self.log).param("epoch", self.epoch);
        let held: Vec<Epoch> = writing.rows(fence).await?;
        if held.is_empty() { Err(Neo4jError::TakenOver) } else { Ok(writing) }
    }

    /// Says that the parts of these tenants are being written to until `upto` is applied: no walk begins or ends there.
    pub(super) async fn begin_with(&self, tenants: &[OrgId], upto: i64) -> Result<(), Neo4jError> {
        let mut writing = self.begin().await?;
        writing.run(self.begun(tenants, upto)).await?;
        writing.commit().await
    }

    /// The statement of it.
    pub(super) fn begun(&self, tenants: &[OrgId], upto: i64) -> Query {
        let keys: Vec<BoltType> = tenants
            .iter()
            .map(|tenant| {
                map([("key", key_of(&self.log, *tenant).into()), ("org", tenant.to_string().into())])
            })
            .collect();
        Query::new(BEGIN.to_owned()).param("log", &*self.log).param("tenants", keys).param("upto", upto)
    }

    /// Says that everything up to here is applied, in a transaction after that in which it was: Neo4j shows parts of one that
    /// is being committed.
    pub(super) async fn end(&self, upto: i64) -> Result<(), Neo4jError> {
        let mut writing = self.begin().await?;
        writing.run(Query::new(END.to_owned()).param("log", &*self.log).param("upto", upto)).await?;
        writing.commit().await
    }

    /// Sees to it that a tenant's entities are found by their ids.
    pub(super) async fn index(&self, tenant: OrgId) -> Result<(), Neo4jError> {
        let name = tenant.uuid().simple();
        let constraint =
            format!("CREATE CONSTRAINT t_{name} IF NOT EXISTS FOR (e:TENANT) REQUIRE e.id IS UNIQUE");
        self.neo4j.alone(of_tenant(&constraint, tenant)).await
    }
}

/// Writes one tenant's work. Entities come before what connects them, and go after it.
pub(super) async fn write(
    writing: &mut Writing,
    tenant: OrgId,
    source: Source,
    work: &Work,
) -> Result<(), Neo4jError> {
    let generation = match source {
        Source::Rows(generation) => generation,
        Source::Changes => -1,
    };
    let of = |text: &str, rows: Vec<BoltType>| {
        Query::new(of_tenant(text, tenant)).param("rows", rows).param("generation", generation)
    };
    if !work.entities.is_empty() {
        writing.run(of(SAVE_ENTITIES, work.entities.iter().map(EntityCopy::bolt).collect())).await?;
    }
    if !work.gone_relationships.is_empty() {
        let rows = work.gone_relationships.iter().map(|(id, source, target)| {
            map([("id", (&**id).into()), ("source", (&**source).into()), ("target", (&**target).into())])
        });
        writing.run(of(DELETE_RELATIONSHIPS, rows.collect())).await?;
    }
    if !work.relationships.is_empty() {
        let rows = work.relationships.iter().map(RelationshipCopy::bolt);
        writing.run(of(SAVE_RELATIONSHIPS, rows.collect())).await?;
    }
    if !work.gone_entities.is_empty() {
        let rows = work.gone_entities.iter().map(|id| map([("id", (&**id).into())]));
        writing.run(of(DELETE_ENTITIES, rows.collect())).await?;
    }
    Ok(())
}

impl EntityCopy {
    fn bolt(&self) -> BoltType {
        let Self { id, type_name, version } = self;
        map([("id", (&**id).into()), ("type", (&**type_name).into()), ("version", (*version).into())])
    }
}

impl RelationshipCopy {
    fn bolt(&self) -> BoltType {
        let Self { id, type_name, source, target, confidence, version } = self;
        map([
            ("id", (&**id).into()),
            ("type", (&**type_name).into()),
            ("source", (&**source).into()),
            ("target", (&**target).into()),
            ("confidence", (*confidence).into()),
            ("version", (*version).into()),
        ])
    }
}

fn map<const N: usize>(fields: [(&str, BoltType); N]) -> BoltType {
    let mut map = BoltMap::with_capacity(N);
    for (name, value) in fields {
        map.put(name.into(), value);
    }
    BoltType::Map(map)
}
