//! `Subscription.schemaVariantChanged`

use async_graphql::{ComplexObject, Context, InputObject, SimpleObject, Subscription};
use pulse_graphql::{ChangeFacts, ContextExt, Error, Following, Happened, Live, LiveError, follow};
use pulse_types::{Change, Permission, SchemaVariantId};

use super::Loaders;
use super::variant::SchemaVariant;
use crate::variant::SUBJECT;

/// Which variants to hear of. All that is given must hold.
#[derive(Debug, Default, InputObject)]
pub(crate) struct SchemaVariantChangeFilter {
    /// Those of this environment.
    environment: Option<String>,
    /// Those of this name.
    variant: Option<String>,
}

/// That gateways have something else to serve.
#[derive(SimpleObject)]
#[graphql(complex)]
pub(crate) struct SchemaVariantChange {
    #[graphql(flatten)]
    facts: ChangeFacts,
    #[graphql(skip)]
    happened: Happened,
}

impl From<Happened> for SchemaVariantChange {
    fn from(happened: Happened) -> Self {
        Self { facts: ChangeFacts::from(&happened), happened }
    }
}

#[ComplexObject]
impl SchemaVariantChange {
    /// The variant as it is now, which may be later than this change; null when it is gone.
    async fn variant(&self, ctx: &Context<'_>) -> Option<Result<SchemaVariant, Error>> {
        let id = SchemaVariantId::from_uuid(self.happened.change.key);
        let row = ctx.part::<Loaders>().variants.load(id).await;
        row.map(|row| row.map(SchemaVariant)).map_err(Error::from).transpose()
    }
}

/// The root of subscriptions.
#[derive(Default)]
pub struct VariantSubscriptions;

#[Subscription(name = "Subscription")]
impl VariantSubscriptions {
    /// Tells of each new supergraph, once and in the order of the commits.
    async fn schema_variant_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which variants to hear of; all unless given.")] filter: Option<
            SchemaVariantChangeFilter,
        >,
        #[graphql(
            desc = "The `cursor` of the last event that was heard: what came later is told of first. From now on unless given."
        )]
        after: Option<String>,
    ) -> Result<Live<SchemaVariantChange>, Error<LiveError>> {
        let SchemaVariantChangeFilter { environment, variant } = filter.unwrap_or_default();
        let is = |change: &Change, name: &str, wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| change.has(name, wanted).unwrap_or(true))
        };
        let wanted =
            move |change: &Change| is(change, "environment", &environment) && is(change, "variant", &variant);
        let following = Following { subjects: &[SUBJECT], permission: Permission::SCHEMA_READ, after };
        follow(ctx, following, wanted).await
    }
}
