//! What the subgraph answers.

mod check;
mod client;
mod composition;
mod live;
mod loaders;
mod overrides;
mod publish;
mod rules;
mod usage;
mod variant;
mod version;

use async_graphql::MergedObject;

pub(crate) use loaders::Loaders;

/// The root of subscriptions.
pub type Subscription = live::VariantSubscriptions;

/// The root of queries.
#[derive(MergedObject, Default)]
pub struct Query(
    variant::VariantQuery,
    version::VersionQuery,
    composition::CompositionQuery,
    client::ClientQuery,
    check::CheckQuery,
    rules::RulesQuery,
    overrides::OverrideQuery,
    usage::UsageQuery,
);

/// The root of mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    publish::PublishMutation,
    check::CheckMutation,
    rules::RulesMutation,
    overrides::OverrideMutation,
    usage::UsageMutation,
    client::ClientMutation,
);
