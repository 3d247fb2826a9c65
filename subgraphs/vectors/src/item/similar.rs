//! The entities whose items are nearest to those of given entities.

use std::collections::{BTreeMap, HashMap};

use pulse_store::{Session, StoreError};
use pulse_types::{CollectionId, EntityId, ItemId, OrgId, Tag};
use sqlx::{FromRow, Postgres, QueryBuilder};

use super::search::{comparable, go_by_index};
use crate::collection::{self, CollectionRow};

/// So many of an entity's items in one collection are compared with others.
const MAX_SOURCES: i32 = 8;

/// From an index so many times the wanted number of items is taken, because several may be of the same entity.
const OVERFETCH: i32 = 4;

/// $1 tenant, $2 collections, $3 entities, $4 how many of each entity in a collection.
pub(crate) const SOURCES: &str = "
    SELECT entity_id, collection_id, id
      FROM (SELECT entity_id, collection_id, id,
                   row_number() OVER (PARTITION BY collection_id, entity_id ORDER BY id) AS nth
              FROM vectors.items
             WHERE org_id = $1 AND collection_id = ANY ($2) AND entity_id = ANY ($3)) AS item
     WHERE nth <= $4";

/// What is asked of one entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SimilarKey {
    pub(crate) entity: EntityId,
    pub(crate) collection: Option<CollectionId>,
    pub(crate) first: i32,
}

/// An entity near another one.
#[derive(Debug, Clone)]
pub(crate) struct SimilarRow {
    pub(crate) entity: EntityId,
    pub(crate) collection: CollectionRow,
    pub(crate) distance: f64,
}

#[derive(Debug, Clone, Copy, FromRow)]
pub(crate) struct SourceRow {
    pub(crate) entity_id: EntityId,
    pub(crate) collection_id: CollectionId,
    pub(crate) id: ItemId,
}

#[derive(Debug, Clone, Copy, FromRow)]
struct NearRow {
    source: EntityId,
    collection_id: CollectionId,
    entity_id: EntityId,
    distance: f64,
}

/// What is near to each of `keys`: three or four statements, however many they are.
pub(crate) async fn load(
    session: &Session,
    org: OrgId,
    keys: &[SimilarKey],
) -> Result<HashMap<SimilarKey, Vec<SimilarRow>>, StoreError> {
    let wanted = |collection: &CollectionRow| {
        keys.iter().any(|key| key.collection.is_none_or(|id| id == collection.id))
    };
    let collections = collection::repo::all(session).await?.into_iter().filter(wanted);
    let collections: HashMap<_, _> = collections.map(|collection| (collection.id, collection)).collect();
    session.tag_all(collections.keys().map(|id| Tag::row(collection::ITEMS, id.uuid())));
    let sources = sources(session, org, &collections, keys).await?;
    if sources.is_empty() {
        return Ok(HashMap::new());
    }
    let mut by_collection: BTreeMap<CollectionId, Vec<SourceRow>> = BTreeMap::new();
    for source in sources {
        by_collection.entry(source.collection_id).or_default().push(source);
    }
    let used = by_collection.keys().filter_map(|id| collections.get(id));
    if let Some(ef_search) = used.filter(|c| c.is_indexed()).map(|c| c.ef_search).max() {
        go_by_index(session, ef_search).await?;
    }
    let first = keys.iter().map(|key| key.first).max().unwrap_or(1);
    let mut query = QueryBuilder::new("");
    for (nth, (id, sources)) in by_collection.iter().enumerate() {
        query.push(if nth == 0 { "" } else { " UNION ALL " });
        push_near(&mut query, org, &collections[id], (sources, first));
    }
    let near = session.fetch_all("items.similar", query.build_query_as().persistent(false)).await?;
    Ok(keys.iter().map(|key| (*key, nearest(key, &near, &collections))).collect())
}

async fn sources(
    session: &Session,
    org: OrgId,
    collections: &HashMap<CollectionId, CollectionRow>,
    keys: &[SimilarKey],
) -> Result<Vec<SourceRow>, StoreError> {
    if collections.is_empty() {
        return Ok(Vec::new());
    }
    let query = sqlx::query_as(SOURCES)
        .bind(org)
        .bind(collections.keys().copied().collect::<Vec<_>>())
        .bind(keys.iter().map(|key| key.entity).collect::<Vec<_>>())
        .bind(MAX_SOURCES)
        .persistent(false);
    session.fetch_all("items.sources", query).await
}

/// The part of the statement for one collection.
pub(crate) fn push_near(
    query: &mut QueryBuilder<Postgres>,
    org: OrgId,
    collection: &CollectionRow,
    (sources, first): (&[SourceRow], i32),
) {
    let (operator, cast) = (collection.metric.operator(), comparable(collection));
    let distance = format!("near.embedding{cast} {operator} own.embedding{cast}");
    query.push(
        "SELECT source.entity_id AS source, own.collection_id, hit.entity_id, hit.distance FROM unnest(",
    );
    query
        .push_bind(sources.iter().map(|source| source.entity_id.uuid()).collect::<Vec<_>>())
        .push("::uuid[], ");
    query.push_bind(sources.iter().map(|source| source.id.uuid()).collect::<Vec<_>>());
    query
        .push("::uuid[]) AS source (entity_id, item_id) JOIN vectors.items AS own ON own.org_id = ")
        .push_bind(org);
    query.push(" AND own.collection_id = ").push_bind(collection.id).push(" AND own.id = source.item_id");
    query.push(" CROSS JOIN LATERAL (SELECT near.entity_id, ");
    if collection.is_indexed() {
        query.push(&distance);
    } else {
        query.push(format_args!("min({distance})"));
    }
    query.push(" AS distance FROM vectors.items AS near WHERE near.org_id = ").push_bind(org);
    query.push(" AND near.collection_id = ").push_bind(collection.id);
    query.push(" AND near.entity_id IS NOT NULL AND near.entity_id <> source.entity_id");
    if collection.is_indexed() {
        query.push(format_args!(" ORDER BY {distance} LIMIT ")).push_bind(first * OVERFETCH);
    } else {
        query.push(" GROUP BY near.entity_id ORDER BY 2, 1 LIMIT ").push_bind(first);
    }
    query.push(") AS hit");
}

/// Each entity once per collection, by the nearest of its items; the highest scores first.
fn nearest(
    key: &SimilarKey,
    near: &[NearRow],
    collections: &HashMap<CollectionId, CollectionRow>,
) -> Vec<SimilarRow> {
    let mut best: BTreeMap<(CollectionId, EntityId), f64> = BTreeMap::new();
    let asked = |row: &&NearRow| {
        row.source == key.entity && key.collection.is_none_or(|collection| collection == row.collection_id)
    };
    for row in near.iter().filter(asked) {
        let distance = best.entry((row.collection_id, row.entity_id)).or_insert(row.distance);
        *distance = distance.min(row.distance);
    }
    let mut rows: Vec<SimilarRow> = best
        .into_iter()
        .map(|((collection, entity), distance)| SimilarRow {
            entity,
            collection: collections[&collection].clone(),
            distance,
        })
        .collect();
    let score = |row: &SimilarRow| row.collection.metric.score(row.distance);
    rows.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.entity.cmp(&b.entity)));
    rows.truncate(usize::try_from(key.first).unwrap_or_default());
    rows
}
