//! `SearchHit`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, Object, SimpleObject};
use pulse_graphql::{ContextExt, Error};
use pulse_types::CollectionId;

use super::item::Item;
use crate::item::ItemError;
use crate::item::filter::MetadataFilter;
use crate::item::search::{self, Search};

/// An item found by a search.
#[derive(SimpleObject)]
pub(crate) struct SearchHit {
    /// The item.
    item: Item,
    /// How near it is, higher is nearer: the cosine for COSINE, the inner product for DOT, 1 / (1 + distance) for
    /// EUCLIDEAN.
    score: f64,
    /// How far it is: 1 minus the cosine for COSINE, the negative inner product for DOT, the distance for EUCLIDEAN.
    distance: f64,
}

/// Queries that search.
#[derive(Default)]
pub(crate) struct SearchQuery;

#[Object]
impl SearchQuery {
    /// The items of a collection that are nearest to a vector, nearest first.
    async fn search(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "In which collection.")] collection_id: CollectionId,
        #[graphql(desc = "As many finite numbers as the collection's dimension.")] vector: Vec<f32>,
        #[graphql(desc = "At most so many hits, 1 to 100.", default = 10)] first: i32,
        #[graphql(desc = "Only items whose metadata are so.")] filter: Option<MetadataFilter>,
    ) -> Option<Result<Vec<SearchHit>, Error<ItemError>>> {
        let asked = Search { collection_id, vector, first, filter };
        let found = search::search(ctx.session(), asked).await;
        Some(found.map(|(collection, hits)| {
            let hit = |row: crate::item::HitRow| SearchHit {
                score: collection.metric.score(row.distance),
                distance: row.distance,
                item: Item(row.item),
            };
            hits.into_iter().map(hit).collect()
        }))
    }
}
