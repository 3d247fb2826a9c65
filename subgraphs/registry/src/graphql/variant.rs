//! `SchemaVariant`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Permission, SchemaVariantId};

use super::Loaders;
use super::composition::SchemaComposition;
use crate::target::{USUAL_VARIANT, check_environment};
use crate::variant::{self, VariantError, VariantRow};

/// The schemas of one graph in an environment: the usual ones, or those of a pull request.
pub(crate) struct SchemaVariant(pub(crate) VariantRow);

/// Which variants.
#[derive(Default, InputObject)]
pub(crate) struct SchemaVariantFilter {
    /// Those of this environment.
    environment: Option<String>,
}

/// The schemas of one graph in an environment: the usual ones, or those of a pull request.
#[Object]
impl SchemaVariant {
    /// Its id.
    async fn id(&self) -> SchemaVariantId {
        self.0.id
    }

    /// The environment, such as `production`.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// Its name, such as `current` or `pr-12`.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The variant whose other subgraphs it has; null for one that stands by itself.
    async fn base(&self) -> Option<&str> {
        self.0.base.as_deref()
    }

    /// What gateways serve; null before anything that was published to it composed.
    async fn current(&self, ctx: &Context<'_>) -> Option<Result<SchemaComposition, Error>> {
        let row = ctx.part::<Loaders>().compositions.load(self.0.current?).await;
        row.map(|row| row.map(SchemaComposition)).map_err(Error::from).transpose()
    }

    /// How often it has changed what gateways serve.
    async fn revision(&self) -> i64 {
        self.0.revision
    }

    /// When it goes by itself, unless something is published to it before; null for never.
    async fn expires_at(&self) -> Option<DateTime<Utc>> {
        self.0.expires_at
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }

    /// When something was last published to it.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.0.updated_at
    }
}

/// Queries about variants.
#[derive(Default)]
pub(crate) struct VariantQuery;

#[Object]
impl VariantQuery {
    /// One variant, or null when there is none that the caller may see.
    async fn schema_variant(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment.")] environment: String,
        #[graphql(desc = "Its name.", default_with = "USUAL_VARIANT.to_owned()")] name: String,
    ) -> Option<Result<SchemaVariant, Error<VariantError>>> {
        let row = variant::get(ctx.session(), environment, name).await;
        row.map(|row| row.map(SchemaVariant)).transpose()
    }

    /// The organization's variants, in the order of environments and names.
    async fn schema_variants(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: Option<SchemaVariantFilter>,
    ) -> Result<Connection<SchemaVariant>, Error<VariantError>> {
        let session = ctx.session();
        session.caller().require(&Permission::SCHEMA_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(VariantError::from)?;
        let SchemaVariantFilter { environment } = filter.unwrap_or_default();
        environment.as_deref().map_or(Ok(()), check_environment).map_err(VariantError::from)?;
        let rows = variant::repo::page(session, environment.as_deref(), &page).await?;
        let total = Total::new(move |session| {
            let environment = environment.clone();
            async move { variant::repo::count(&session, environment.as_deref()).await }
        });
        let cursor = |row: &VariantRow| Cursor::new(&(&row.environment, &row.name));
        Ok(page.connection(rows, total, |row| (cursor(&row), SchemaVariant(row))))
    }

    #[graphql(entity)]
    async fn find_schema_variant(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: SchemaVariantId,
    ) -> Option<Result<SchemaVariant, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::SCHEMA_READ) {
            return Some(Err(refusal.into()));
        }
        let row = ctx.part::<Loaders>().variants.load(id).await;
        row.map(|row| row.map(SchemaVariant)).map_err(Error::from).transpose()
    }
}
