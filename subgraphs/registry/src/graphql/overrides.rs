//! `SchemaOverride`.

#![expect(clippy::too_many_arguments, reason = "each argument of a field is one of its function")]

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{Connection, ContextExt, Cursor, Error, Page, PageLimits, Total};
use pulse_types::{Permission, SchemaOverrideId, UserId};

use crate::overrides::{self, NewOverride, OverrideError, OverrideRow};
use crate::target::check_environment;

/// A change that is let through although it breaks somebody.
#[derive(SimpleObject)]
pub(crate) struct SchemaOverride {
    /// Its id.
    id: SchemaOverrideId,
    /// The environment.
    environment: String,
    /// The kind of change, such as `FIELD_REMOVED`; null for any.
    code: Option<String>,
    /// What it concerns, such as `User.name`.
    coordinate: String,
    /// Why it is let through.
    reason: String,
    /// Until when.
    expires_at: DateTime<Utc>,
    /// Who lets it through; null for Pulse itself.
    actor_id: Option<UserId>,
    /// When it was made.
    created_at: DateTime<Utc>,
}

impl From<OverrideRow> for SchemaOverride {
    fn from(row: OverrideRow) -> Self {
        let OverrideRow {
            id,
            environment,
            code,
            coordinate,
            reason,
            expires_at,
            version: _,
            actor,
            created_at,
        } = row;
        Self { id, environment, code, coordinate, reason, expires_at, actor_id: actor, created_at }
    }
}

/// What a new override is made of.
#[derive(InputObject)]
pub(crate) struct CreateSchemaOverrideInput {
    /// The environment.
    environment: String,
    /// What the change concerns, as a check says it, such as `User.name`.
    coordinate: String,
    /// The kind of change, as a check says it, such as `FIELD_REMOVED`; any, if it is left out.
    code: Option<String>,
    /// Why it is let through, at most 1,000 characters.
    reason: String,
    /// Until when: within a year.
    expires_at: DateTime<Utc>,
    /// Makes the request safe to repeat: with the same key it is done once.
    idempotency_key: Option<String>,
}

/// A new override.
#[derive(SimpleObject)]
pub(crate) struct CreateSchemaOverridePayload {
    /// The override.
    schema_override: SchemaOverride,
}

/// Which override to delete.
#[derive(InputObject)]
pub(crate) struct DeleteSchemaOverrideInput {
    /// Which one.
    id: SchemaOverrideId,
}

/// What was deleted.
#[derive(SimpleObject)]
pub(crate) struct DeleteSchemaOverridePayload {
    /// The id of the deleted override.
    id: SchemaOverrideId,
}

/// Which overrides.
#[derive(InputObject)]
pub(crate) struct SchemaOverrideFilter {
    /// Those of this environment.
    environment: String,
}

/// Queries about overrides.
#[derive(Default)]
pub(crate) struct OverrideQuery;

#[Object]
impl OverrideQuery {
    /// What is let through in an environment, or was until it expired, in the order in which it was made.
    async fn schema_overrides(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "At most so many from the start, 1 to 100.")] first: Option<i32>,
        #[graphql(desc = "Begin after this cursor.")] after: Option<String>,
        #[graphql(desc = "At most so many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "End before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only these.")] filter: SchemaOverrideFilter,
    ) -> Result<Connection<SchemaOverride>, Error<OverrideError>> {
        let session = ctx.session();
        session.caller().require(&Permission::SCHEMA_READ)?;
        let page = Page::try_new((first, after), (last, before), PageLimits::USUAL);
        let page = page.map_err(OverrideError::from)?;
        let SchemaOverrideFilter { environment } = filter;
        check_environment(&environment).map_err(OverrideError::from)?;
        let rows = overrides::repo::page(session, &environment, &page).await?;
        let total = Total::new(move |session| {
            let environment = environment.clone();
            async move { overrides::repo::count(&session, &environment).await }
        });
        Ok(page.connection(rows, total, |row| (Cursor::new(&(row.id,)), SchemaOverride::from(row))))
    }
}

/// Mutations of overrides.
#[derive(Default)]
pub(crate) struct OverrideMutation;

#[Object]
impl OverrideMutation {
    /// Lets a change through although it breaks somebody, with a reason and until a time.
    async fn create_schema_override(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What it is made of.")] input: CreateSchemaOverrideInput,
    ) -> Result<CreateSchemaOverridePayload, Error<OverrideError>> {
        let CreateSchemaOverrideInput { environment, coordinate, code, reason, expires_at, idempotency_key } =
            input;
        let new = NewOverride { environment, code, coordinate, reason, expires_at };
        let row = overrides::create(ctx.session(), new, idempotency_key).await?;
        Ok(CreateSchemaOverridePayload { schema_override: row.into() })
    }

    /// Lets a change through no more.
    async fn delete_schema_override(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteSchemaOverrideInput,
    ) -> Result<DeleteSchemaOverridePayload, Error<OverrideError>> {
        let id = overrides::delete(ctx.session(), input.id).await?;
        Ok(DeleteSchemaOverridePayload { id })
    }
}
