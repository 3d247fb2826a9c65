//! The items of one collection that are nearest to a vector.

use pulse_graphql::Error;
use pulse_store::{Session, StoreError};
use pulse_types::{CollectionId, OrgId};
use sqlx::{Postgres, QueryBuilder};

use super::filter::{Condition, MetadataFilter};
use super::{HitRow, ItemError, MAX_HITS, repo, to_text};
use crate::collection::{self, CollectionRow};
use crate::sight;

/// So far a search with a filter goes on in an index; beyond, it returns fewer hits than asked for.
const MAX_SCAN_TUPLES: i32 = 100_000;

/// What is searched for.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) collection_id: CollectionId,
    pub(crate) vector: Vec<f32>,
    pub(crate) first: i32,
    pub(crate) filter: Option<MetadataFilter>,
}

/// The hits, nearest first.
pub(crate) async fn search(
    session: &Session,
    search: Search,
) -> Result<(CollectionRow, Vec<HitRow>), Error<ItemError>> {
    let org = sight::may_read(session.caller())?;
    let Search { collection_id: id, vector, first, filter } = search;
    if !(1..=MAX_HITS).contains(&first) {
        return Err(ItemError::First(first).into());
    }
    let condition = filter.map(|filter| Condition::try_new(filter, "filter")).transpose()?;
    let found = collection::repo::find(session, id).await?;
    let collection = found.ok_or(ItemError::NoCollection { id, field: "collectionId" })?;
    let vector = to_text(&vector, &collection).map_err(ItemError::QueryVector)?;
    if collection.is_indexed() {
        go_by_index(session, collection.ef_search.max(first)).await?;
    }
    let mut query = QueryBuilder::new("");
    push_search(&mut query, (org, &collection), (vector, first), condition.as_ref());
    let hits = session.fetch_all("items.search", query.build_query_as().persistent(false)).await?;
    Ok((collection, hits))
}

/// Sets for the rest of the session's transaction how an HNSW index is scanned.
pub(crate) async fn go_by_index(session: &Session, ef_search: i32) -> Result<(), StoreError> {
    let query = sqlx::query_as::<_, (String,)>(
        "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true)
             || set_config('hnsw.ef_search', $1::text, true) || set_config('hnsw.max_scan_tuples', $2::text, true)",
    );
    session.fetch_one("items.go_by_index", query.bind(ef_search).bind(MAX_SCAN_TUPLES)).await.map(drop)
}

/// The column as the index has it, or as it has not, so that all items are compared.
pub(crate) fn comparable(collection: &CollectionRow) -> String {
    if collection.is_indexed() {
        format!("::vector({})", collection.dimension)
    } else {
        "::vector".to_owned()
    }
}

/// An index yields its items nearly in order, hence the sorting around it.
pub(crate) fn push_search(
    query: &mut QueryBuilder<Postgres>,
    (org, collection): (OrgId, &CollectionRow),
    (vector, first): (String, i32),
    condition: Option<&Condition>,
) {
    let (operator, cast) = (collection.metric.operator(), comparable(collection));
    query.push("WITH near AS MATERIALIZED (SELECT ").push(repo::COLUMNS);
    query.push(format_args!(", embedding{cast} {operator} ")).push_bind(vector.clone()).push(&cast);
    query.push(" AS distance FROM vectors.items WHERE org_id = ").push_bind(org);
    query.push(" AND collection_id = ").push_bind(collection.id);
    if let Some(condition) = condition {
        query.push(" AND ");
        condition.push(query);
    }
    query.push(format_args!(" ORDER BY embedding{cast} {operator} ")).push_bind(vector).push(&cast);
    query.push(" LIMIT ").push_bind(first);
    query.push(") SELECT * FROM near ORDER BY distance, id");
}
