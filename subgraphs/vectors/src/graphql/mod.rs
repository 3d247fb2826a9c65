//! What the subgraph answers.

mod collection;
mod entity;
mod item;
mod live;
mod loaders;
mod search;

use async_graphql::MergedObject;

pub(crate) use loaders::Loaders;

/// The root of subscriptions.
pub type Subscription = live::CollectionSubscriptions;

/// The root of queries.
#[derive(MergedObject, Default)]
pub struct Query(collection::CollectionQuery, search::SearchQuery, entity::EntityQuery);

/// The root of mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(collection::CollectionMutation, item::ItemMutation);
