//! `SchemaVersion`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Permission, SchemaVersionId, UserId};

use super::Loaders;
use crate::target::{Target, USUAL_VARIANT, check_subgraph};
use crate::version::repo::VersionList;
use crate::version::{self, VersionError, VersionRow, VersionState};

/// A schema of a subgraph as it was published. It never changes.
pub(crate) struct SchemaVersion(pub(crate) VersionRow);

/// Which published schemas.
#[derive(InputObject)]
pub(crate) struct SchemaVersionFilter {
    /// Those of this environment.
    environment: String,
    /// Those of this variant.
    #[graphql(default_with = "USUAL_VARIANT.to_owned()")]
    variant: String,
    /// Those of this subgraph.
    subgraph: Option<String>,
}

impl SchemaVersionFilter {
    fn into_list(self) -> Result<VersionList, VersionError> {
        let Self { environment, variant, subgraph } = self;
        subgraph.as_deref().map_or(Ok(()), check_subgraph)?;
        Ok(VersionList { target: Target::try_new(environment, variant)?, subgraph })
    }
}

/// A schema of a subgraph as it was published. It never changes.
#[Object]
impl SchemaVersion {
    /// Its id.
    async fn id(&self) -> SchemaVersionId {
        self.0.id
    }

    /// The environment that it was published to, such as `production`.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The variant that it was published to.
    async fn variant(&self) -> &str {
        &self.0.variant
    }

    /// The subgraph.
    async fn subgraph(&self) -> &str {
        &self.0.subgraph
    }

    /// The number of the composition that it was published for.
    async fn number(&self) -> i64 {
        self.0.number
    }

    /// What became of it.
    async fn state(&self) -> VersionState {
        self.0.state
    }

    /// Where gateways reach the subgraph; null if nothing was said.
    async fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// The schema, as it was published.
    async fn sdl(&self, ctx: &Context<'_>) -> Option<Result<String, Error>> {
        let sdl = ctx.part::<Loaders>().sdls.load(self.0.id).await;
        sdl.map_err(Error::from).transpose()
    }

    /// SHA-256 of the schema, in hexadecimal.
    async fn sdl_hash(&self) -> &str {
        &self.0.sdl_hash
    }

    /// What the publisher calls it, such as a commit.
    async fn revision(&self) -> Option<&str> {
        self.0.revision.as_deref()
    }

    /// What the publisher says of it.
    async fn message(&self) -> Option<&str> {
        self.0.message.as_deref()
    }

    /// Who published it; null for Pulse itself.
    async fn actor_id(&self) -> Option<UserId> {
        self.0.actor
    }

    /// When it was published.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Queries about published schemas.
#[derive(Default)]
pub(crate) struct VersionQuery;

#[Object]
impl VersionQuery {
    /// One published schema, or null when there is none that the caller may see.
    async fn schema_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: SchemaVersionId,
    ) -> Option<Result<SchemaVersion, Error>> {
        version::get(ctx.session(), id).await.map(|row| row.map(SchemaVersion)).transpose()
    }

    /// What was published, the newest first.
    async fn schema_versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: SchemaVersionFilter,
    ) -> Result<Connection<SchemaVersion>, Error<VersionError>> {
        let session = ctx.session();
        session.caller().require(&Permission::SCHEMA_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let (page, which) = (page.map_err(VersionError::from)?, filter.into_list()?);
        let rows = version::repo::page(session, &which, &page).await?;
        let total = Total::new(move |session| {
            let which = which.clone();
            async move { version::repo::count(&session, &which).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.number,)), SchemaVersion(row))))
    }

    #[graphql(entity)]
    async fn find_schema_version(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: SchemaVersionId,
    ) -> Option<Result<SchemaVersion, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::SCHEMA_READ) {
            return Some(Err(refusal.into()));
        }
        let row = ctx.part::<Loaders>().versions.load(id).await;
        row.map(|row| row.map(SchemaVersion)).map_err(Error::from).transpose()
    }
}
