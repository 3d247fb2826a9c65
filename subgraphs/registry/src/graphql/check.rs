//! `SchemaCheck`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Permission, SchemaCheckId, UserId};

use super::Loaders;
use super::composition::SchemaComposition;
use crate::check::repo::CheckList;
use crate::check::{self, CheckRow, JudgedChange, NewCheck, Surfaces, Verdict};
use crate::composer::{Composer, Finding};
use crate::target::{Target, USUAL_VARIANT, check_environment, check_subgraph};
use crate::version::VersionError;

/// What publishing a schema would have done when it was asked, and to whom. It never changes, and is kept for 90 days.
pub(crate) struct SchemaCheck(pub(crate) CheckRow);

/// A schema to check.
#[derive(InputObject)]
pub(crate) struct CheckSubgraphInput {
    /// The environment, such as `production`.
    environment: String,
    /// The variant.
    #[graphql(default_with = "USUAL_VARIANT.to_owned()")]
    variant: String,
    /// The name of the subgraph.
    subgraph: String,
    /// The federation schema of the subgraph, at most 1,000,000 bytes.
    sdl: String,
    /// What you call it, such as a commit; at most 200 characters.
    revision: Option<String>,
    /// For a variant that is not there yet: the one whose other subgraphs it would have.
    base: Option<String>,
}

/// What came of a check.
#[derive(SimpleObject)]
pub(crate) struct CheckSubgraphPayload {
    /// The check, as it is kept.
    check: SchemaCheck,
}

/// Which checks.
#[derive(InputObject)]
pub(crate) struct SchemaCheckFilter {
    /// Those of this environment.
    environment: String,
    /// Those of this subgraph.
    subgraph: Option<String>,
}

/// What publishing a schema would have done when it was asked, and to whom. It never changes, and is kept for 90 days.
#[Object]
impl SchemaCheck {
    /// Its id.
    async fn id(&self) -> SchemaCheckId {
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

    /// The subgraph.
    async fn subgraph(&self) -> &str {
        &self.0.subgraph
    }

    /// What came of it, the worst that there is.
    async fn verdict(&self) -> Verdict {
        self.0.verdict
    }

    /// Whether the schema may be published: it composes, breaks nobody who counts, and no rule of style that is an error.
    async fn is_accepted(&self) -> bool {
        self.0.verdict.is_accepted()
    }

    /// What it was compared with; null where there was nothing before.
    async fn against(&self, ctx: &Context<'_>) -> Option<Result<SchemaComposition, Error>> {
        let row = ctx.part::<Loaders>().compositions.load(self.0.against?).await;
        row.map(|row| row.map(SchemaComposition)).map_err(Error::from).transpose()
    }

    /// How many changes break somebody, whether they are let through or not.
    async fn breaking(&self) -> i32 {
        self.0.result.breaking
    }

    /// How many may surprise somebody.
    async fn dangerous(&self) -> i32 {
        self.0.result.dangerous
    }

    /// How many nobody notices.
    async fn safe(&self) -> i32 {
        self.0.result.safe
    }

    /// The changes, the gravest first; of very many, the first 2,000.
    async fn changes(&self) -> &[JudgedChange] {
        &self.0.result.changes
    }

    /// What composition and the rules of style say.
    async fn findings(&self) -> &[Finding] {
        &self.0.result.findings
    }

    /// Use within so many days counted.
    async fn window_days(&self) -> i32 {
        self.0.result.window_days
    }

    /// SHA-256 of the schema that was checked, in hexadecimal.
    async fn sdl_hash(&self) -> &str {
        &self.0.sdl_hash
    }

    /// What the asker calls it, such as a commit.
    async fn revision(&self) -> Option<&str> {
        self.0.revision.as_deref()
    }

    /// Who asked; null for Pulse itself.
    async fn actor_id(&self) -> Option<UserId> {
        self.0.actor
    }

    /// When it was asked.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

/// Queries about checks.
#[derive(Default)]
pub(crate) struct CheckQuery;

#[Object]
impl CheckQuery {
    /// One check, or null when there is none that the caller may see.
    async fn schema_check(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Its id.")] id: SchemaCheckId,
    ) -> Option<Result<SchemaCheck, Error>> {
        check::get(ctx.session(), id).await.map(|row| row.map(SchemaCheck)).transpose()
    }

    /// The checks of an environment, the newest first.
    async fn schema_checks(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: SchemaCheckFilter,
    ) -> Result<Connection<SchemaCheck>, Error<VersionError>> {
        let session = ctx.session();
        session.caller().require(&Permission::SCHEMA_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(VersionError::from)?;
        let SchemaCheckFilter { environment, subgraph } = filter;
        check_environment(&environment).map_err(VersionError::from)?;
        subgraph.as_deref().map_or(Ok(()), check_subgraph).map_err(VersionError::from)?;
        let which = CheckList { environment, subgraph };
        let rows = check::repo::page(session, &which, &page).await?;
        let total = Total::new(move |session| {
            let which = which.clone();
            async move { check::repo::count(&session, &which).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), SchemaCheck(row))))
    }
}

/// Mutations of checks.
#[derive(Default)]
pub(crate) struct CheckMutation;

#[Object]
impl CheckMutation {
    /// Says what publishing a schema would do, and to whom: whether it composes with the other subgraphs, what changes, which
    /// clients notice by which operations and routes, and what the rules of style say. A change breaks only if somebody uses what
    /// it concerns, as the rules of the environment count use.
    async fn check_subgraph(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is checked, and for where.")] input: CheckSubgraphInput,
    ) -> Result<CheckSubgraphPayload, Error<VersionError>> {
        let CheckSubgraphInput { environment, variant, subgraph, sdl, revision, base } = input;
        let target = Target::try_new(environment, variant).map_err(VersionError::from)?;
        let new = NewCheck { target, subgraph, sdl, revision, base };
        let (composer, surfaces) = (ctx.part::<Composer>(), ctx.part::<Arc<dyn Surfaces>>());
        let row = check::check(ctx.session(), composer, surfaces, new).await?;
        Ok(CheckSubgraphPayload { check: SchemaCheck(row) })
    }
}
