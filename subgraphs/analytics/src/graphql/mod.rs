//! What the subgraph answers.

mod entity;
mod event;
mod live;
mod loaders;
mod organization;
mod series;

use async_graphql::MergedObject;

pub(crate) use loaders::Loaders;

/// The root of subscriptions.
pub type Subscription = live::EventSubscriptions;

/// The root of queries.
#[derive(MergedObject, Default)]
pub struct Query(event::EventQuery, series::SeriesQuery, organization::OrganizationQuery);

/// The root of mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(event::EventMutation);
