//! Mutations of what is published.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::TimeDelta;
use pulse_graphql::{ContextExt, Error};

use super::composition::SchemaComposition;
use super::variant::SchemaVariant;
use super::version::SchemaVersion;
use crate::composer::Composer;
use crate::composition::CompositionState;
use crate::target::{Target, USUAL_VARIANT};
use crate::version::{self, NewVersion, Published, VersionError};

/// A schema to publish.
#[derive(InputObject)]
pub(crate) struct PublishSubgraphInput {
    /// The environment, such as `production`. It is there with the first schema that is published to it.
    environment: String,
    /// The variant. It is there with the first schema that is published to it.
    #[graphql(default_with = "USUAL_VARIANT.to_owned()")]
    variant: String,
    /// The name of the subgraph.
    subgraph: String,
    /// The federation schema of the subgraph, at most 1,000,000 bytes.
    sdl: String,
    /// Where gateways reach the subgraph, as an address of HTTP; as before, if it is left out.
    url: Option<String>,
    /// What you call it, such as a commit; at most 200 characters.
    revision: Option<String>,
    /// What you say of it; at most 1,000 characters.
    message: Option<String>,
    /// For a new variant: the one whose other subgraphs it has, such as `current` for a pull request.
    base: Option<String>,
    /// For a variant of a pull request: after how many hours without a further schema it goes by itself, 1 to 2160. Only
    /// a new variant is made to go.
    expires_in_hours: Option<i32>,
}

/// What came of publishing.
#[derive(SimpleObject)]
pub(crate) struct PublishSubgraphPayload {
    /// Whether gateways serve it.
    is_published: bool,
    /// Whether it is what was published before: nothing is stored then.
    is_unchanged: bool,
    /// The schema as it was published.
    schema_version: Option<SchemaVersion>,
    /// The supergraph, or why there is none.
    composition: SchemaComposition,
    /// The variant, as it is now.
    variant: SchemaVariant,
}

/// Which subgraph to remove.
#[derive(InputObject)]
pub(crate) struct RemoveSubgraphInput {
    /// The environment.
    environment: String,
    /// The variant.
    #[graphql(default_with = "USUAL_VARIANT.to_owned()")]
    variant: String,
    /// The name of the subgraph.
    subgraph: String,
}

/// What came of removing.
#[derive(SimpleObject)]
pub(crate) struct RemoveSubgraphPayload {
    /// Whether it is removed: the other subgraphs compose without it.
    is_removed: bool,
    /// The supergraph, or why there is none.
    composition: SchemaComposition,
    /// The variant, as it is now.
    variant: SchemaVariant,
}

/// Where to go back to.
#[derive(InputObject)]
pub(crate) struct RollBackSchemaInput {
    /// The environment.
    environment: String,
    /// The variant.
    #[graphql(default_with = "USUAL_VARIANT.to_owned()")]
    variant: String,
    /// The number of the composition to go back to; the one that was served before this one, if it is left out.
    number: Option<i64>,
}

/// What was gone back to.
#[derive(SimpleObject)]
pub(crate) struct RollBackSchemaPayload {
    /// A new composition, with the supergraph and the schemas of the former one.
    composition: SchemaComposition,
    /// The variant, as it is now.
    variant: SchemaVariant,
}

/// Mutations of what is published.
#[derive(Default)]
pub(crate) struct PublishMutation;

#[Object]
impl PublishMutation {
    /// Publishes a schema of a subgraph, and composes it with the others of the variant. Gateways serve what composes; what does
    /// not is kept as failed, with the reasons. The same schema again changes nothing, so repeating the request is safe. To
    /// know before what it does to whom: `checkSubgraph`.
    async fn publish_subgraph(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is published, and where to.")] input: PublishSubgraphInput,
    ) -> Result<PublishSubgraphPayload, Error<VersionError>> {
        let PublishSubgraphInput {
            environment,
            variant,
            subgraph,
            sdl,
            url,
            revision,
            message,
            base,
            expires_in_hours,
        } = input;
        let target = Target::try_new(environment, variant).map_err(VersionError::from)?;
        let lifetime = expires_in_hours.map(|hours| TimeDelta::hours(hours.into()));
        let new = NewVersion { target, subgraph, url, sdl, revision, message, base, lifetime };
        let published = version::publish(ctx.session(), ctx.part::<Composer>(), new).await?;
        let Published { version, composition, variant, is_unchanged } = published;
        Ok(PublishSubgraphPayload {
            is_published: composition.state == CompositionState::Composed,
            is_unchanged,
            schema_version: version.map(SchemaVersion),
            composition: SchemaComposition(composition),
            variant: SchemaVariant(variant),
        })
    }

    /// Takes a subgraph out of a variant. Where the others do not compose without it, nothing changes.
    async fn remove_subgraph(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which subgraph, of which variant.")] input: RemoveSubgraphInput,
    ) -> Result<RemoveSubgraphPayload, Error<VersionError>> {
        let RemoveSubgraphInput { environment, variant, subgraph } = input;
        let target = Target::try_new(environment, variant).map_err(VersionError::from)?;
        let removed = version::remove(ctx.session(), ctx.part::<Composer>(), &target, &subgraph).await?;
        let Published { composition, variant, .. } = removed;
        Ok(RemoveSubgraphPayload {
            is_removed: composition.state == CompositionState::Composed,
            composition: SchemaComposition(composition),
            variant: SchemaVariant(variant),
        })
    }

    /// Has gateways serve a former supergraph again. What is published next is composed with the schemas that it was made of.
    async fn roll_back_schema(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Where to go back to.")] input: RollBackSchemaInput,
    ) -> Result<RollBackSchemaPayload, Error<VersionError>> {
        let RollBackSchemaInput { environment, variant, number } = input;
        let target = Target::try_new(environment, variant).map_err(VersionError::from)?;
        let restored = version::roll_back(ctx.session(), ctx.part::<Composer>(), &target, number).await?;
        let Published { composition, variant, .. } = restored;
        Ok(RollBackSchemaPayload {
            composition: SchemaComposition(composition),
            variant: SchemaVariant(variant),
        })
    }
}
