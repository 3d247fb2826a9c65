//! What is used, by whom.

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};

use crate::check::User;
use crate::usage::{self, OperationKind, Recorded, Reported, UsageError};

/// So many of those who use something are named.
const MOST_NAMED: usize = 100;

/// How often a client sent an operation, and what that uses.
#[derive(InputObject)]
pub(crate) struct SchemaUsageInput {
    /// SHA-256 of the document without values, in hexadecimal.
    signature: String,
    /// The name of the operation; empty for one without.
    #[graphql(default)]
    name: String,
    /// What it does.
    kind: OperationKind,
    /// What the client calls itself; empty for one that does not say.
    #[graphql(default)]
    client_name: String,
    /// The version that it says it is; empty for one that does not say.
    #[graphql(default)]
    client_version: String,
    /// When it was sent. The day in UTC counts.
    at: DateTime<Utc>,
    /// How often it was sent, counted up from the sample.
    requests: i64,
    /// How many of these were answered with errors.
    #[graphql(default)]
    errors: i64,
    /// What it uses, such as `User.name`, `Query.users(first:)`, `Status.OLD` or `@include`.
    coordinates: Vec<String>,
}

/// What was used in an environment.
#[derive(InputObject)]
pub(crate) struct ReportSchemaUsageInput {
    /// The environment.
    environment: String,
    /// At most 500, with 20,000 coordinates in all.
    operations: Vec<SchemaUsageInput>,
}

/// What came of a report.
#[derive(SimpleObject)]
pub(crate) struct ReportSchemaUsagePayload {
    /// How many were added to what is known.
    recorded: usize,
    /// How many were left out, as the environment has 50,000 different operations already.
    left_out: usize,
}

/// Of what, and within which time.
#[derive(InputObject)]
pub(crate) struct SchemaUsageFilter {
    /// The environment.
    environment: String,
    /// The coordinate, such as `User.name`.
    coordinate: String,
    /// Within so many days, 1 to 365.
    #[graphql(default = 30)]
    days: i32,
}

/// Who uses something of a schema.
#[derive(SimpleObject)]
pub(crate) struct SchemaUsage {
    /// How often operations that use it were sent.
    requests: i64,
    /// How many operations use it.
    operation_count: usize,
    /// Clients with the operations by which they use it, those who do most often first; of very many, the first 100.
    users: Vec<User>,
}

/// Queries about usage.
#[derive(Default)]
pub(crate) struct UsageQuery;

#[Object]
impl UsageQuery {
    /// Who uses a field, argument, input field, enum value, type or directive, as far as was recorded.
    async fn schema_usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of what, and within which time.")] filter: SchemaUsageFilter,
    ) -> Result<SchemaUsage, Error<UsageError>> {
        let SchemaUsageFilter { environment, coordinate, days } = filter;
        let senders = usage::of_coordinate(ctx.session(), &environment, coordinate, days).await?;
        let requests = senders.iter().map(|one| one.requests).sum();
        let mut operations: Vec<_> = senders.iter().map(|one| one.operation_id).collect();
        operations.sort_unstable();
        operations.dedup();
        let users = senders.iter().take(MOST_NAMED).map(User::from).collect();
        Ok(SchemaUsage { requests, operation_count: operations.len(), users })
    }
}

/// Mutations of usage.
#[derive(Default)]
pub(crate) struct UsageMutation;

#[Object]
impl UsageMutation {
    /// Adds what clients sent to what is known of use: coordinates and counts, never documents or values. Gateways that are told
    /// to do this by themselves.
    async fn report_schema_usage(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What was used.")] input: ReportSchemaUsageInput,
    ) -> Result<ReportSchemaUsagePayload, Error<UsageError>> {
        let ReportSchemaUsageInput { environment, operations } = input;
        let reported: Vec<Reported> = operations.into_iter().map(Reported::from).collect();
        let Recorded { recorded, left_out } = usage::report(ctx.session(), &environment, &reported).await?;
        Ok(ReportSchemaUsagePayload { recorded, left_out })
    }
}

impl From<SchemaUsageInput> for Reported {
    fn from(given: SchemaUsageInput) -> Self {
        let SchemaUsageInput { signature, name, kind, client_name, client_version, .. } = given;
        let SchemaUsageInput { at, requests, errors, coordinates, .. } = given;
        let day = at.date_naive();
        Self { signature, name, kind, client_name, client_version, day, requests, errors, coordinates }
    }
}
