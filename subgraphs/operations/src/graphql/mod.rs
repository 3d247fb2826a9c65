//! What the subgraph answers.

mod delivery;
mod loaders;
mod stream;
mod webhook;

use async_graphql::MergedObject;

pub(crate) use loaders::Loaders;

/// The root of queries.
#[derive(MergedObject, Default)]
pub struct Query(webhook::WebhookQuery, stream::StreamQuery);

/// The root of mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    webhook::WebhookMutation,
    webhook::WebhookStateMutation,
    delivery::DeliveryMutation,
    stream::StreamMutation,
);
