//! Reads by key: what all fields of one turn ask for, in one statement.

use std::collections::HashMap;
use std::sync::Arc;

use pulse_graphql::{Batch, Error, Loader};
use pulse_store::{Session, StoreError};
use pulse_types::{EntityId, EntityTypeId, Permission, Refusal, RelationshipId};

use crate::entity::EntityRow;
use crate::entity_type::EntityTypeRow;
use crate::history::{self, HistoryRow, Past, VersionsPage};
use crate::kept;
pub(super) use crate::kept::CountKey;
use crate::relationship::of_entities::{NeighborsPage, RelationshipsPage};
use crate::relationship::row::RelatedRow;
use crate::relationship::{self, RelationshipRow};
use crate::sight;

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
    versions: Loader<(EntityId, VersionsPage), Versions>,
    pub(super) related_counts: Arc<Loader<CountKey, RelatedCounts>>,
    pub(super) neighbor_counts: Arc<Loader<CountKey, NeighborCounts>>,
}

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
            versions: Loader::new(Versions(session.clone())),
            related_counts: Arc::new(Loader::new(RelatedCounts(session.clone()))),
            neighbor_counts: Arc::new(Loader::new(NeighborCounts(session.clone()))),
            session,
        }
    }

    pub(super) async fn entity_type(&self, name: String) -> Result<Option<Arc<EntityTypeRow>>, Error> {
        sight::may_read(self.session.caller())?;
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
        match past.subject {
            relationship::SUBJECT => self.require(&Permission::RELATIONSHIP_READ)?,
            _ => sight::may_read(self.session.caller()).map(drop)?,
        }
        Ok(self.past.load(past).await?)
    }

    /// What an entity was, the latest first, for those who may see what it is.
    pub(super) async fn versions(
        &self,
        of: EntityId,
        page: VersionsPage,
    ) -> Result<Arc<[HistoryRow]>, Error> {
        sight::may_read(self.session.caller())?;
        Ok(self.versions.load((of, page)).await?.unwrap_or_default())
    }

    pub(super) async fn entity(&self, id: EntityId) -> Result<Option<Arc<EntityRow>>, Error> {
        sight::may_read(self.session.caller())?;
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
        sight::may_read(self.session.caller())?;
        self.require(&Permission::RELATIONSHIP_READ)?;
        Ok(self.related.load((of, page)).await?.unwrap_or_default())
    }

    /// One page of an entity's neighbours, in order of their ids.
    pub(super) async fn neighbors(
        &self,
        of: EntityId,
        page: NeighborsPage,
    ) -> Result<Arc<[Arc<EntityRow>]>, Error> {
        sight::may_read(self.session.caller())?;
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
        self.0.read_through(&kept::TYPES, names).await
    }
}

struct TypesById(Session);

impl Batch<EntityTypeId> for TypesById {
    type Value = Arc<EntityTypeRow>;

    async fn load(&self, ids: Vec<EntityTypeId>) -> Result<HashMap<EntityTypeId, Self::Value>, StoreError> {
        self.0.read_through(&kept::TYPES_BY_ID, ids).await
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

struct Versions(Session);

impl Batch<(EntityId, VersionsPage)> for Versions {
    type Value = Arc<[HistoryRow]>;

    async fn load(
        &self,
        keys: Vec<(EntityId, VersionsPage)>,
    ) -> Result<HashMap<(EntityId, VersionsPage), Self::Value>, StoreError> {
        let mut pages: HashMap<VersionsPage, Vec<EntityId>> = HashMap::new();
        for (entity, page) in keys {
            pages.entry(page).or_default().push(entity);
        }
        let mut found = HashMap::new();
        for (page, entities) in pages {
            let mut rows: HashMap<EntityId, Vec<HistoryRow>> = HashMap::with_capacity(entities.len());
            for row in history::versions(&self.0, &entities, &page).await? {
                rows.entry(EntityId::from_uuid(row.id)).or_default().push(row);
            }
            for (entity, mut rows) in rows {
                rows.sort_by_key(|row| std::cmp::Reverse(row.version));
                found.insert((entity, page), rows.into());
            }
        }
        Ok(found)
    }
}

struct Entities(Session);

impl Batch<EntityId> for Entities {
    type Value = Arc<EntityRow>;

    async fn load(&self, ids: Vec<EntityId>) -> Result<HashMap<EntityId, Self::Value>, StoreError> {
        self.0.read_through(&kept::ENTITIES, ids).await
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

struct Related(Session);

impl Batch<(EntityId, RelationshipsPage)> for Related {
    type Value = Arc<[RelatedRow]>;

    async fn load(
        &self,
        keys: Vec<(EntityId, RelationshipsPage)>,
    ) -> Result<HashMap<(EntityId, RelationshipsPage), Self::Value>, StoreError> {
        self.0.read_through(&kept::RELATED, keys).await
    }
}

struct Neighbors(Session);

impl Batch<(EntityId, NeighborsPage)> for Neighbors {
    type Value = Arc<[Arc<EntityRow>]>;

    async fn load(
        &self,
        keys: Vec<(EntityId, NeighborsPage)>,
    ) -> Result<HashMap<(EntityId, NeighborsPage), Self::Value>, StoreError> {
        self.0.read_through(&kept::NEIGHBORS, keys).await
    }
}

pub(super) struct RelatedCounts(Session);

impl Batch<CountKey> for RelatedCounts {
    type Value = i64;

    async fn load(&self, keys: Vec<CountKey>) -> Result<HashMap<CountKey, i64>, StoreError> {
        self.0.read_through(&kept::RELATED_COUNTS, keys).await
    }
}

pub(super) struct NeighborCounts(Session);

impl Batch<CountKey> for NeighborCounts {
    type Value = i64;

    async fn load(&self, keys: Vec<CountKey>) -> Result<HashMap<CountKey, i64>, StoreError> {
        self.0.read_through(&kept::NEIGHBOR_COUNTS, keys).await
    }
}
