//! What the subgraph answers.

mod entity;
mod event;
mod live;
mod loaders;
mod organization;
mod series;

use async_graphql::{MergedObject, MergedSubscription};

pub(crate) use loaders::Loaders;

/// The root of subscriptions.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
pub struct Subscription(live::EventSubscriptions, live::MetricSubscriptions);

/// The root of queries.
#[derive(MergedObject, Default)]
pub struct Query(event::EventQuery, series::SeriesQuery, organization::OrganizationQuery);

/// The root of mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(event::EventMutation);
