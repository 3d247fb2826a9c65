//! What the subgraph answers.

mod client;
mod composition;
mod loaders;
mod publish;
mod variant;
mod version;

use async_graphql::MergedObject;

pub(crate) use loaders::Loaders;

/// The root of queries.
#[derive(MergedObject, Default)]
pub struct Query(
    variant::VariantQuery,
    version::VersionQuery,
    composition::CompositionQuery,
    client::ClientQuery,
);

/// The root of mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(publish::PublishMutation, client::ClientMutation);
