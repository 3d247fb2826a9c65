//! The GraphQL API: translates arguments into calls of use cases, and rows into types.

mod document;
mod entity;
mod entity_filter;
mod entity_groups;
mod entity_history;
mod entity_inputs;
mod entity_mutations;
mod entity_order;
mod entity_queries;
mod entity_type;
mod live;
mod loaders;
mod relationship;
mod relationship_inputs;
mod relationship_mutations;
mod relationship_queries;
mod traversal;

use async_graphql::{MergedObject, MergedSubscription};
use pulse_graphql::Error;
use pulse_store::IdempotencyKey;

pub(crate) use loaders::Loaders;

use crate::error::GraphError;

/// The roots of all queries of this subgraph.
#[derive(Default, MergedObject)]
#[graphql(name = "Query")]
pub struct Query(
    entity_queries::EntityQueries,
    entity_groups::EntityGroupQueries,
    relationship_queries::RelationshipQueries,
    entity_type::EntityTypeQueries,
    traversal::TraversalQueries,
);

/// The roots of all mutations of this subgraph.
#[derive(Default, MergedObject)]
#[graphql(name = "Mutation")]
pub struct Mutation(
    entity_mutations::EntityMutations,
    relationship_mutations::RelationshipMutations,
    entity_type::EntityTypeMutations,
);

/// The roots of all subscriptions of this subgraph.
#[derive(Default, MergedSubscription)]
#[graphql(name = "Subscription")]
pub struct Subscription(
    live::EntitySubscriptions,
    live::RelationshipSubscriptions,
    live::EntityTypeSubscriptions,
);

/// The schema of this subgraph.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// The schema, without a database behind it.
pub fn schema() -> Schema {
    Schema::build(Query::default(), Mutation::default(), Subscription::default())
        .enable_federation()
        .enable_subscription_in_federation()
        .finish()
}

fn idempotency_key(key: Option<String>) -> Result<Option<IdempotencyKey>, Error<GraphError>> {
    Ok(key.map(IdempotencyKey::try_new).transpose().map_err(GraphError::from)?)
}
