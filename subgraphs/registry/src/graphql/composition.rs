//! `SchemaComposition`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{CompositionId, Permission, UserId};

use super::Loaders;
use super::version::SchemaVersion;
use crate::composer::{Change, Changes, Composer, Finding};
use crate::composition::{self, CompositionCause, CompositionRow, CompositionState};
use crate::signing::Signing;
use crate::target::{Target, USUAL_VARIANT};
use crate::version::{self, VersionError};

/// A supergraph of a variant, or why there was none. It never changes.
pub(crate) struct SchemaComposition(pub(crate) CompositionRow);

/// Which compositions.
#[derive(InputObject)]
pub(crate) struct SchemaCompositionFilter {
    /// Those of this environment.
    environment: String,
    /// Those of this variant.
    #[graphql(default_with = "USUAL_VARIANT.to_owned()")]
    variant: String,
}

/// What is different for clients.
#[derive(SimpleObject)]
pub(crate) struct SchemaDiff {
    /// How many changes break somebody who uses what they concern.
    breaking: i32,
    /// How many may surprise somebody who does.
    dangerous: i32,
    /// How many nobody notices.
    safe: i32,
    /// The changes, the gravest first; of very many, the first 2,000.
    changes: Vec<Change>,
}

/// The public half of the key that signs supergraphs. It follows from the encryption key of the installation.
#[derive(SimpleObject)]
pub(crate) struct SchemaSigningKey {
    /// An Ed25519 key: 32 bytes in base64.
    public_key: String,
}

impl From<Changes> for SchemaDiff {
    fn from(Changes { all, breaking, dangerous, safe }: Changes) -> Self {
        Self { breaking, dangerous, safe, changes: all }
    }
}

/// A supergraph of a variant, or why there was none. It never changes.
#[Object]
impl SchemaComposition {
    /// Its id.
    async fn id(&self) -> CompositionId {
        self.0.id
    }

    /// The environment, such as `production`.
    async fn environment(&self) -> &str {
        &self.0.environment
    }

    /// The variant.
    async fn variant(&self) -> &str {
        &self.0.variant
    }

    /// Its number among those of the variant, from 1.
    async fn number(&self) -> i64 {
        self.0.number
    }

    /// Whether there is a supergraph.
    async fn state(&self) -> CompositionState {
        self.0.state
    }

    /// Why it was composed.
    async fn cause(&self) -> CompositionCause {
        self.0.cause
    }

    /// The subgraph that was published or removed; null for a rollback.
    async fn subgraph(&self) -> Option<&str> {
        self.0.subgraph.as_deref()
    }

    /// The composition that a rollback went back to; null otherwise.
    async fn restored_id(&self) -> Option<CompositionId> {
        self.0.restored
    }

    /// The supergraph, for gateways; null if the schemas do not compose.
    async fn supergraph(&self, ctx: &Context<'_>) -> Option<Result<String, Error>> {
        let supergraph = ctx.part::<Loaders>().supergraphs.load(self.0.id).await;
        supergraph.map_err(Error::from).transpose()
    }

    /// SHA-256 of the supergraph, in hexadecimal; null if the schemas do not compose.
    async fn supergraph_hash(&self) -> Option<&str> {
        self.0.supergraph_hash.as_deref()
    }

    /// Who may serve it knows by this that the registry composed it for this variant: Ed25519 in base64, by the key
    /// `schemaSigningKey`, of the lines `pulse-supergraph-1`, environment/variant and `supergraphHash`. Null if the schemas do not
    /// compose.
    async fn signature(&self, ctx: &Context<'_>) -> Option<Result<String, Error>> {
        let hash = self.0.supergraph_hash.as_deref()?;
        let org = ctx.session().caller().require(&Permission::SCHEMA_READ);
        let place = (self.0.environment.as_str(), self.0.variant.as_str());
        Some(org.map(|org| ctx.part::<Signing>().sign(org, place, hash)).map_err(Error::from))
    }

    /// What it is made of, in the order of the subgraphs' names.
    async fn subgraphs(&self, ctx: &Context<'_>) -> Result<Vec<SchemaVersion>, Error> {
        let parts = ctx.part::<Loaders>().parts.load(self.0.id).await?;
        Ok(parts.unwrap_or_default().into_iter().map(SchemaVersion).collect())
    }

    /// Errors, and what its authors should know.
    async fn findings(&self, ctx: &Context<'_>) -> Result<Vec<Finding>, Error> {
        let report = ctx.part::<Loaders>().reports.load(self.0.id).await?;
        Ok(report.map(|report| report.diagnostics.0).unwrap_or_default())
    }

    /// What has changed for clients since what gateways served before, whoever uses it.
    async fn diff(&self, ctx: &Context<'_>) -> Result<SchemaDiff, Error> {
        let report = ctx.part::<Loaders>().reports.load(self.0.id).await?;
        let changes = report.map(|report| report.changes.0).unwrap_or_default();
        let CompositionRow { breaking, dangerous, safe, .. } = self.0;
        Ok(SchemaDiff { breaking, dangerous, safe, changes })
    }

    /// Who caused it; null for Pulse itself.
    async fn actor_id(&self) -> Option<UserId> {
        self.0.actor
    }

    /// When it was composed.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Queries about compositions.
#[derive(Default)]
pub(crate) struct CompositionQuery;

#[Object]
impl CompositionQuery {
    /// One composition, or null when there is none that the caller may see.
    async fn schema_composition(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: CompositionId,
    ) -> Option<Result<SchemaComposition, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::SCHEMA_READ) {
            return Some(Err(refusal.into()));
        }
        let row = composition::repo::find_many(ctx.session(), &[id]).await.map(|mut rows| rows.pop());
        row.map(|row| row.map(SchemaComposition)).map_err(Error::from).transpose()
    }

    /// The compositions of a variant, the newest first.
    async fn schema_compositions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: SchemaCompositionFilter,
    ) -> Result<Connection<SchemaComposition>, Error<VersionError>> {
        let session = ctx.session();
        session.caller().require(&Permission::SCHEMA_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(VersionError::from)?;
        let target = Target::try_new(filter.environment, filter.variant).map_err(VersionError::from)?;
        let rows = composition::repo::page(session, &target, &page).await?;
        let total = Total::new(move |session| {
            let target = target.clone();
            async move { composition::repo::count(&session, &target).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.number,)), SchemaComposition(row))))
    }

    /// The key that verifies the signatures of the organization's supergraphs, which gateways are given as
    /// `signature_keys`.
    #[expect(clippy::unused_async, reason = "a resolver is async")]
    async fn schema_signing_key(&self, ctx: &Context<'_>) -> Result<SchemaSigningKey, Error> {
        let org = ctx.session().caller().require(&Permission::SCHEMA_READ)?;
        Ok(SchemaSigningKey { public_key: ctx.part::<Signing>().public_key(org) })
    }

    /// What is different for clients between two compositions, whoever uses it; null where one of them is not there, or has
    /// no supergraph.
    async fn schema_diff(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The composition before.")] from: CompositionId,
        #[graphql(desc = "The composition after.")] to: CompositionId,
    ) -> Option<Result<SchemaDiff, Error>> {
        let changes = version::compare(ctx.session(), ctx.part::<Composer>(), (from, to)).await;
        changes.map(|changes| changes.map(SchemaDiff::from)).transpose()
    }

    #[graphql(entity)]
    async fn find_schema_composition(
        &self,
        ctx: &Context<'_>,
        #[graphql(key)] id: CompositionId,
    ) -> Option<Result<SchemaComposition, Error>> {
        if let Err(refusal) = ctx.session().caller().require(&Permission::SCHEMA_READ) {
            return Some(Err(refusal.into()));
        }
        let row = ctx.part::<Loaders>().compositions.load(id).await;
        row.map(|row| row.map(SchemaComposition)).map_err(Error::from).transpose()
    }
}
