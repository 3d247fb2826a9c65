//! Reads whose answers are kept for all in the tenant: what the graph says depends on nothing else about who asks. Whether
//! they may ask is looked at before.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use futures::future::BoxFuture;
use pulse_graphql::{Page, PageError};
use pulse_store::{CachedRead, Scope, Session, Space, StoreError, Tagging};
use pulse_types::{Caller, EntityId, EntityTypeId, Tag};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::entity::filter::EntityFilter;
use crate::entity::groups::{GroupRow, GroupsAsked};
use crate::entity::list::{EntityOrder, Listed};
use crate::entity::{self, EntityRow};
use crate::entity_type::{self, EntityTypeRow};
use crate::relationship::of_entities::{self, Columns, Direction, NeighborsPage, RelationshipsPage};
use crate::relationship::row::{NamedRow, RelatedRow};
use crate::tags;

type Found<'s, K, V> = BoxFuture<'s, Result<HashMap<K, V>, StoreError>>;

/// An entity, and which of its relationships to count.
pub(crate) type CountKey = (EntityId, (Direction, Option<String>));

/// A page of entities, as JSON of a [`ListKey`].
pub(crate) type ListName = String;

/// Which page of which list of entities.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListKey {
    pub(crate) filter: EntityFilter,
    pub(crate) order: EntityOrder,
    pub(crate) page: Page,
    pub(crate) details: bool,
}

/// Which list of entities to count.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct CountOf {
    pub(crate) filter: EntityFilter,
    pub(crate) order: EntityOrder,
}

macro_rules! kept {
    ($(#[$doc:meta])* $name:ident: $key:ty => $value:ty, $space:literal, $tagging:expr, $load:expr) => {
        $(#[$doc])*
        pub(crate) static $name: CachedRead<$key, $value> = CachedRead {
            space: Space::new($space, 2),
            scope: Scope::Tenant,
            tagging: $tagging,
            load: $load,
        };
    };
}

kept!(ENTITIES: EntityId => Arc<EntityRow>, "entities.by_id", Tagging::By(|_, id, _| vec![row(*id)]), by_ids);
kept!(ENTITIES_BY_KEY: String => Arc<EntityRow>, "entities.by_key", Tagging::By(|_, key, _| vec![tags::of_key(key)]), by_keys);
kept!(ENTITY_LIST: ListName => Arc<[Listed]>, "entities.list", Tagging::Collected, lists);
kept!(ENTITY_COUNT: ListName => i64, "entities.count", Tagging::Collected, counts);
kept!(ENTITY_GROUPS: ListName => Arc<[GroupRow]>, "entities.groups", Tagging::Collected, groups);
kept!(TYPES: String => Arc<EntityTypeRow>, "entities.type_by_name", Tagging::By(|_, name, _| vec![tags::of_type_name(name)]), types);
kept!(
    TYPES_BY_ID: EntityTypeId => Arc<EntityTypeRow>,
    "entities.type_by_id",
    Tagging::By(|_, id, _| vec![Tag::row(entity_type::SUBJECT, id.uuid())]),
    types_by_id
);
kept!(
    RELATED: (EntityId, RelationshipsPage) => Arc<[RelatedRow]>,
    "entities.relationships_of",
    Tagging::By(|_, (of, page), rows| {
        let others = rows.into_iter().flat_map(|rows| rows.iter()).map(|related| row(related.other.id()));
        tags::of_ends(&[*of], page.direction, page.type_name.as_deref()).chain(others).collect()
    }),
    related
);
kept!(
    NEIGHBORS: (EntityId, NeighborsPage) => Arc<[Arc<EntityRow>]>,
    "entities.neighbors_of",
    Tagging::By(|_, (of, page), rows| {
        let others = rows.into_iter().flat_map(|rows| rows.iter()).map(|other| row(other.id));
        tags::of_ends(&[*of], page.direction, page.type_name.as_deref()).chain(others).collect()
    }),
    neighbors
);
kept!(RELATED_COUNTS: CountKey => i64, "entities.relationship_count_of", Tagging::By(of_count), related_counts);
kept!(NEIGHBOR_COUNTS: CountKey => i64, "entities.neighbor_count_of", Tagging::By(of_count), neighbor_counts);

const fn row(id: EntityId) -> Tag {
    Tag::row(entity::SUBJECT, id.uuid())
}

fn of_count(_: &Caller, (of, (direction, type_name)): &CountKey, _: Option<&i64>) -> Vec<Tag> {
    tags::of_ends(&[*of], *direction, type_name.as_deref()).collect()
}

/// A key that is kept as JSON.
pub(crate) fn named(key: &impl Serialize) -> Result<ListName, StoreError> {
    serde_json::to_string(key).map_err(|error| unreadable("", &error.to_string()))
}

/// What a key that is kept as JSON says.
fn parsed<K: DeserializeOwned>(name: &str) -> Result<K, StoreError> {
    serde_json::from_str(name).map_err(|error| unreadable(name, &error.to_string()))
}

fn unreadable(name: &str, problem: &str) -> StoreError {
    StoreError::Inconsistent {
        table: "cache",
        column: "key",
        row: name.to_owned(),
        problem: problem.to_owned(),
    }
}

/// Keys that ask for the same page, or count, of several entities: usually one group.
fn by_page<P: Eq + Hash>(keys: Vec<(EntityId, P)>) -> HashMap<P, Vec<EntityId>> {
    let mut groups: HashMap<P, Vec<EntityId>> = HashMap::new();
    for (entity, page) in keys {
        groups.entry(page).or_default().push(entity);
    }
    groups
}

fn by_ids(session: &Session, ids: Vec<EntityId>) -> Found<'_, EntityId, Arc<EntityRow>> {
    Box::pin(async move {
        let rows = entity::repo::by_ids(session, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    })
}

fn by_keys(session: &Session, keys: Vec<String>) -> Found<'_, String, Arc<EntityRow>> {
    Box::pin(async move {
        session.tag_all(keys.iter().map(|key| tags::of_key(key)));
        let rows = entity::repo::by_keys(session, &keys).await?;
        Ok(rows.into_iter().map(|row| (row.key.clone(), Arc::new(row))).collect())
    })
}

fn lists(session: &Session, names: Vec<ListName>) -> Found<'_, ListName, Arc<[Listed]>> {
    Box::pin(async move {
        let mut found = HashMap::with_capacity(names.len());
        for name in names {
            let ListKey { filter, order, page, details } = parsed(&name)?;
            session.tag_all(tags::of_list(&filter).into_iter().chain(tags::of_order(&order)));
            let query = entity::list::list_query(&filter, &order, &page, details);
            let mut query = query.map_err(|error: PageError| unreadable(&name, &error.to_string()))?;
            let query = query.build_query_as().persistent(!filter.is_composed());
            let rows = session.fetch_all::<Listed>("entities.list", query).await?;
            found.insert(name, rows.into());
        }
        Ok(found)
    })
}

fn counts(session: &Session, names: Vec<ListName>) -> Found<'_, ListName, i64> {
    Box::pin(async move {
        let mut found = HashMap::with_capacity(names.len());
        for name in names {
            let CountOf { filter, order } = parsed(&name)?;
            session.tag_all(tags::of_list(&filter));
            let mut query = entity::list::count_query(&filter, &order);
            let query = query.build_query_as::<(i64,)>().persistent(!filter.is_composed());
            let (count,) = session.fetch_one("entities.count", query).await?;
            found.insert(name, count);
        }
        Ok(found)
    })
}

fn groups(session: &Session, names: Vec<ListName>) -> Found<'_, ListName, Arc<[GroupRow]>> {
    Box::pin(async move {
        let mut found = HashMap::with_capacity(names.len());
        for name in names {
            let asked: GroupsAsked = parsed(&name)?;
            session.tag_all(tags::of_list(&asked.filter));
            let mut query = entity::groups::query(&asked);
            let query = query.build_query_as::<GroupRow>().persistent(false);
            let rows = session.fetch_all("entities.groups", query).await?;
            found.insert(name, rows.into());
        }
        Ok(found)
    })
}

fn types(session: &Session, names: Vec<String>) -> Found<'_, String, Arc<EntityTypeRow>> {
    Box::pin(async move {
        let rows = entity_type::find(session, &names).await?;
        Ok(rows.into_iter().map(|row| (row.name.clone(), Arc::new(row))).collect())
    })
}

fn types_by_id(session: &Session, ids: Vec<EntityTypeId>) -> Found<'_, EntityTypeId, Arc<EntityTypeRow>> {
    Box::pin(async move {
        let rows = entity_type::by_ids(session, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    })
}

const RELATED_SPAN: &str = "relationships.of";

fn related(
    session: &Session,
    keys: Vec<(EntityId, RelationshipsPage)>,
) -> Found<'_, (EntityId, RelationshipsPage), Arc<[RelatedRow]>> {
    Box::pin(async move {
        let mut found = HashMap::with_capacity(keys.len());
        for (page, entities) in by_page(keys) {
            session.tag_all(tags::of_ends(&entities, page.direction, page.type_name.as_deref()));
            let mut query = of_entities::relationships_query(&entities, &page);
            let read: Vec<RelatedRow> = match page.columns {
                Columns::Names => {
                    let named = session.fetch_all::<NamedRow>(RELATED_SPAN, query.build_query_as()).await?;
                    named.into_iter().map(|NamedRow(row)| row).collect()
                }
                Columns::Brief | Columns::Properties => {
                    session.fetch_all(RELATED_SPAN, query.build_query_as()).await?
                }
            };
            let mut rows: HashMap<EntityId, Vec<RelatedRow>> = HashMap::with_capacity(entities.len());
            for related in read {
                session.tag(|| row(related.other.id()));
                rows.entry(related.of).or_default().push(related);
            }
            for (entity, mut rows) in rows {
                rows.sort_by(|left, right| left.position().cmp(&right.position()));
                found.insert((entity, page.clone()), rows.into());
            }
        }
        Ok(found)
    })
}

fn neighbors(
    session: &Session,
    keys: Vec<(EntityId, NeighborsPage)>,
) -> Found<'_, (EntityId, NeighborsPage), Arc<[Arc<EntityRow>]>> {
    Box::pin(async move {
        let mut found = HashMap::with_capacity(keys.len());
        for (page, entities) in by_page(keys) {
            session.tag_all(tags::of_ends(&entities, page.direction, page.type_name.as_deref()));
            let mut query = of_entities::neighbors_query(&entities, &page);
            let mut rows: HashMap<EntityId, Vec<Arc<EntityRow>>> = HashMap::with_capacity(entities.len());
            for neighbor in session.fetch_all::<Neighbor>("neighbors.of", query.build_query_as()).await? {
                session.tag(|| row(neighbor.entity.id));
                rows.entry(neighbor.of).or_default().push(neighbor.entity);
            }
            for (entity, mut rows) in rows {
                rows.sort_by_key(|row| row.id);
                found.insert((entity, page.clone()), rows.into());
            }
        }
        Ok(found)
    })
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

fn related_counts(session: &Session, keys: Vec<CountKey>) -> Found<'_, CountKey, i64> {
    Box::pin(async move {
        let mut found = HashMap::with_capacity(keys.len());
        for ((direction, name), entities) in by_page(keys) {
            session.tag_all(tags::of_ends(&entities, direction, name.as_deref()));
            let mut query = of_entities::count_query(&entities, direction, name.as_deref());
            for (entity, count) in session.fetch_all("relationships.count_of", query.build_query_as()).await?
            {
                found.insert((entity, (direction, name.clone())), count);
            }
        }
        Ok(found)
    })
}

fn neighbor_counts(session: &Session, keys: Vec<CountKey>) -> Found<'_, CountKey, i64> {
    Box::pin(async move {
        let mut found = HashMap::with_capacity(keys.len());
        for ((direction, name), entities) in by_page(keys) {
            session.tag_all(tags::of_ends(&entities, direction, name.as_deref()));
            let mut query = of_entities::neighbor_count_query(&entities, direction, name.as_deref());
            for (entity, count) in session.fetch_all("neighbors.count_of", query.build_query_as()).await? {
                found.insert((entity, (direction, name.clone())), count);
            }
        }
        Ok(found)
    })
}
