//! Reads by key: what all fields of one turn ask for, in one statement.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use pulse_graphql::{Batch, Error, Loader};
use pulse_store::{Session, StoreError};
use pulse_types::{EntityId, EntityTypeId, Permission, Refusal, RelationshipId, Tag};

use crate::entity::{self, EntityRow};
use crate::entity_type::{self, EntityTypeRow};
use crate::history::{self, HistoryRow, Past};
use crate::relationship::of_entities::{self, Columns, Direction, NeighborsPage, RelationshipsPage};
use crate::relationship::row::{NamedRow, RelatedRow};
use crate::relationship::{self, RelationshipRow};
use crate::tags;

/// The loaders of one request, which read as its caller.
pub(crate) struct Loaders {
    session: Session,
    types: Loader<String, Types>,
    types_by_id: Loader<EntityTypeId, TypesById>,
    entities: Loader<EntityId, Entities>,
    relationships: Loader<RelationshipId, Relationships>,
    related: Loader<(EntityId, RelationshipsPage), Related>,
    neighbors: Loader<(EntityId, NeighborsPage), Neighbors>,
    past: Loader<Past, Pasts>,
    pub(super) related_counts: Arc<Loader<CountKey, RelatedCounts>>,
    pub(super) neighbor_counts: Arc<Loader<CountKey, NeighborCounts>>,
}

/// An entity, and which of its relationships to count.
pub(super) type CountKey = (EntityId, (Direction, Option<String>));

impl Loaders {
    pub(crate) fn new(session: &Session) -> Self {
        let session = session.clone();
        Self {
            types: Loader::new(Types(session.clone())),
            types_by_id: Loader::new(TypesById(session.clone())),
            entities: Loader::new(Entities(session.clone())),
            relationships: Loader::new(Relationships(session.clone())),
            related: Loader::new(Related(session.clone())),
            neighbors: Loader::new(Neighbors(session.clone())),
            past: Loader::new(Pasts(session.clone())),
            related_counts: Arc::new(Loader::new(RelatedCounts(session.clone()))),
            neighbor_counts: Arc::new(Loader::new(NeighborCounts(session.clone()))),
            session,
        }
    }

    pub(super) async fn entity_type(&self, name: String) -> Result<Option<Arc<EntityTypeRow>>, Error> {
        self.require(&Permission::ENTITY_READ)?;
        Ok(self.types.load(name).await?)
    }

    pub(super) async fn entity_type_of_id(
        &self,
        id: EntityTypeId,
    ) -> Result<Option<Arc<EntityTypeRow>>, Error> {
        self.require(&Permission::ENTITY_READ)?;
        Ok(self.types_by_id.load(id).await?)
    }

    /// What a row was, for those who may see what it is.
    pub(super) async fn past(&self, past: Past) -> Result<Option<HistoryRow>, Error> {
        let permission = match past.subject {
            relationship::SUBJECT => Permission::RELATIONSHIP_READ,
            _ => Permission::ENTITY_READ,
        };
        self.require(&permission)?;
        Ok(self.past.load(past).await?)
    }

    pub(super) async fn entity(&self, id: EntityId) -> Result<Option<Arc<EntityRow>>, Error> {
        self.require(&Permission::ENTITY_READ)?;
        Ok(self.entities.load(id).await?)
    }

    pub(super) async fn relationship(
        &self,
        id: RelationshipId,
    ) -> Result<Option<Arc<RelationshipRow>>, Error> {
        self.require(&Permission::RELATIONSHIP_READ)?;
        Ok(self.relationships.load(id).await?)
    }

    /// One page of an entity's relationships with the entities at their other ends, in their order.
    pub(super) async fn related(
        &self,
        of: EntityId,
        page: RelationshipsPage,
    ) -> Result<Arc<[RelatedRow]>, Error> {
        self.require(&Permission::ENTITY_READ)?;
        self.require(&Permission::RELATIONSHIP_READ)?;
        Ok(self.related.load((of, page)).await?.unwrap_or_default())
    }

    /// One page of an entity's neighbours, in order of their ids.
    pub(super) async fn neighbors(
        &self,
        of: EntityId,
        page: NeighborsPage,
    ) -> Result<Arc<[Arc<EntityRow>]>, Error> {
        self.require(&Permission::ENTITY_READ)?;
        self.require(&Permission::RELATIONSHIP_READ)?;
        Ok(self.neighbors.load((of, page)).await?.unwrap_or_default())
    }

    fn require(&self, permission: &Permission) -> Result<(), Refusal> {
        self.session.caller().require(permission).map(drop)
    }
}

struct Types(Session);

impl Batch<String> for Types {
    type Value = Arc<EntityTypeRow>;

    async fn load(&self, names: Vec<String>) -> Result<HashMap<String, Self::Value>, StoreError> {
        let rows = entity_type::find(&self.0, &names).await?;
        Ok(rows.into_iter().map(|row| (row.name.clone(), Arc::new(row))).collect())
    }
}

struct TypesById(Session);

impl Batch<EntityTypeId> for TypesById {
    type Value = Arc<EntityTypeRow>;

    async fn load(&self, ids: Vec<EntityTypeId>) -> Result<HashMap<EntityTypeId, Self::Value>, StoreError> {
        let rows = entity_type::by_ids(&self.0, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
}

struct Pasts(Session);

impl Batch<Past> for Pasts {
    type Value = HistoryRow;

    async fn load(&self, versions: Vec<Past>) -> Result<HashMap<Past, HistoryRow>, StoreError> {
        let rows = history::find(&self.0, &versions).await?;
        let of = |row: &HistoryRow| {
            versions
                .iter()
                .copied()
                .find(|past| past.id == row.id && past.version == row.version && past.subject == row.subject)
        };
        Ok(rows.into_iter().filter_map(|row| Some((of(&row)?, row))).collect())
    }
}

struct Entities(Session);

impl Batch<EntityId> for Entities {
    type Value = Arc<EntityRow>;

    async fn load(&self, ids: Vec<EntityId>) -> Result<HashMap<EntityId, Self::Value>, StoreError> {
        let rows = entity::repo::by_ids(&self.0, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
}

struct Relationships(Session);

impl Batch<RelationshipId> for Relationships {
    type Value = Arc<RelationshipRow>;

    async fn load(
        &self,
        ids: Vec<RelationshipId>,
    ) -> Result<HashMap<RelationshipId, Self::Value>, StoreError> {
        let rows = relationship::repo::by_ids(&self.0, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    }
}

/// The entities of keys that ask for the same page, or count, of each: usually one group.
fn by_page<P: Eq + Hash>(keys: Vec<(EntityId, P)>) -> HashMap<P, Vec<EntityId>> {
    let mut groups: HashMap<P, Vec<EntityId>> = HashMap::new();
    for (entity, page) in keys {
        groups.entry(page).or_default().push(entity);
    }
    groups
}

struct Related(Session);

const RELATED: &str = "relationships.of";

impl Batch<(EntityId, RelationshipsPage)> for Related {
    type Value = Arc<[RelatedRow]>;

    async fn load(
        &self,
        keys: Vec<(EntityId, RelationshipsPage)>,
    ) -> Result<HashMap<(EntityId, RelationshipsPage), Self::Value>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (page, entities) in by_page(keys) {
            self.0.tag_all(tags::of_ends(&entities, page.direction, page.type_name.as_deref()));
            let mut query = of_entities::relationships_query(&entities, &page);
            let read: Vec<RelatedRow> = match page.columns {
                Columns::Names => {
                    let named = self.0.fetch_all::<NamedRow>(RELATED, query.build_query_as()).await?;
                    named.into_iter().map(|NamedRow(row)| row).collect()
                }
                Columns::Brief | Columns::Properties => {
                    self.0.fetch_all(RELATED, query.build_query_as()).await?
                }
            };
            let mut rows: HashMap<EntityId, Vec<RelatedRow>> = HashMap::with_capacity(entities.len());
            for row in read {
                self.0.tag(|| Tag::row(entity::SUBJECT, row.other.id().uuid()));
                rows.entry(row.of).or_default().push(row);
            }
            for (entity, mut rows) in rows {
                rows.sort_by(|left, right| left.position().cmp(&right.position()));
                found.insert((entity, page.clone()), rows.into());
            }
        }
        Ok(found)
    }
}

struct Neighbors(Session);

impl Batch<(EntityId, NeighborsPage)> for Neighbors {
    type Value = Arc<[Arc<EntityRow>]>;

    async fn load(
        &self,
        keys: Vec<(EntityId, NeighborsPage)>,
    ) -> Result<HashMap<(EntityId, NeighborsPage), Self::Value>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        for (page, entities) in by_page(keys) {
            self.0.tag_all(tags::of_ends(&entities, page.direction, page.type_name.as_deref()));
            let mut query = of_entities::neighbors_query(&entities, &page);
            let mut rows: HashMap<EntityId, Vec<Arc<EntityRow>>> = HashMap::with_capacity(entities.len());
            for row in self.0.fetch_all::<Neighbor>("neighbors.of", query.build_query_as()).await? {
                self.0.tag(|| Tag::row(entity::SUBJECT, row.entity.id.uuid()));
                rows.entry(row.of).or_default().push(row.entity);
            }
            for (entity, mut rows) in rows {
                rows.sort_by_key(|row| row.id);
                found.insert((entity, page.clone()), rows.into());
            }
        }
        Ok(found)
    }
}

struct Neighbor {
    of: EntityId,
    entity: Arc<EntityRow>,
}

impl sqlx::FromRow<'_, sqlx::postgres::PgRow> for Neighbor {
    fn from_row(row: &sqlx::postgres::PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { of: sqlx::Row::try_get(row, 0)?, entity: Arc::new(EntityRow::at(row, 1)?) })
    }
}

pub(super) struct RelatedCounts(Session);

impl Batch<CountKey> for RelatedCounts {
    type Value = i64;

    async fn load(&self, keys: Vec<CountKey>) -> Result<HashMap<CountKey, i64>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        for ((direction, name), entities) in by_page(keys) {
            self.0.tag_all(tags::of_ends(&entities, direction, name.as_deref()));
            let mut query = of_entities::count_query(&entities, direction, name.as_deref());
            for (entity, count) in self.0.fetch_all("relationships.count_of", query.build_query_as()).await? {
                found.insert((entity, (direction, name.clone())), count);
            }
        }
        Ok(found)
    }
}

pub(super) struct NeighborCounts(Session);

impl Batch<CountKey> for NeighborCounts {
    type Value = i64;

    async fn load(&self, keys: Vec<CountKey>) -> Result<HashMap<CountKey, i64>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        for ((direction, name), entities) in by_page(keys) {
            self.0.tag_all(tags::of_ends(&entities, direction, name.as_deref()));
            let mut query = of_entities::neighbor_count_query(&entities, direction, name.as_deref());
            for (entity, count) in self.0.fetch_all("neighbors.count_of", query.build_query_as()).await? {
                found.insert((entity, (direction, name.clone())), count);
            }
        }
        Ok(found)
    }
}
