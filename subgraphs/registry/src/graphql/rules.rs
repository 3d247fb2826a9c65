//! `SchemaRules`.

use std::collections::BTreeMap;

use async_graphql::{Context, InputObject, Object, SimpleObject};
use chrono::{DateTime, Utc};
use pulse_graphql::{ContextExt, Error};

use crate::rules::{self, Level, Rules, RulesError, RulesRow, Style};

/// How strict a rule of style is.
#[derive(SimpleObject, InputObject)]
#[graphql(name = "SchemaLintRule", input_name = "SchemaLintRuleInput")]
pub(crate) struct LintRuleLevel {
    /// The rule, such as `TYPE_DESCRIPTION`.
    rule: String,
    /// How strict it is.
    level: Level,
}

/// How changes are judged in an environment.
#[derive(SimpleObject)]
pub(crate) struct SchemaRules {
    /// The environment.
    environment: String,
    /// Use within so many days counts.
    window_days: i32,
    /// An operation counts when it was sent so often within that time.
    min_requests: i64,
    /// And when it was so many per cent of all requests within that time.
    min_share_percent: f64,
    /// Names of clients whose use does not count.
    excluded_clients: Vec<String>,
    /// Names of operations whose use does not count.
    excluded_operations: Vec<String>,
    /// Rules of style that are not as strict as usual.
    lint_levels: Vec<LintRuleLevel>,
    /// Coordinates of which rules of style say nothing; `Legacy.*` is a type with all that is in it.
    lint_ignored: Vec<String>,
    /// How often they were set; 0 for rules that are as usual.
    version: i64,
    /// When they were last set; null for rules that are as usual.
    updated_at: Option<DateTime<Utc>>,
}

/// How changes are to be judged; what is left out stays.
#[derive(InputObject)]
pub(crate) struct SetSchemaRulesInput {
    /// The environment.
    environment: String,
    /// Use within so many days counts, 1 to 365; 30 at first.
    window_days: Option<i32>,
    /// An operation counts when it was sent so often within that time; once at first.
    min_requests: Option<i64>,
    /// And when it was so many per cent of all requests within that time, 0 to 100; 0 at first.
    min_share_percent: Option<f64>,
    /// Names of clients whose use does not count, in place of those before; at most 100.
    excluded_clients: Option<Vec<String>>,
    /// Names of operations whose use does not count, in place of those before; at most 100.
    excluded_operations: Option<Vec<String>>,
    /// Rules of style that are not as strict as usual, in place of those before.
    lint_levels: Option<Vec<LintRuleLevel>>,
    /// Coordinates of which rules of style say nothing, in place of those before; `Legacy.*` is a type with all that is in
    /// it; at most 100.
    lint_ignored: Option<Vec<String>>,
    /// Refuse when the rules have another version by now.
    expected_version: Option<i64>,
}

/// The rules as they are now.
#[derive(SimpleObject)]
pub(crate) struct SetSchemaRulesPayload {
    /// The rules.
    rules: SchemaRules,
}

impl SchemaRules {
    fn of(environment: String, row: Option<RulesRow>) -> Self {
        let (version, updated_at) = row.as_ref().map_or((0, None), |row| (row.version, Some(row.updated_at)));
        let Rules { window_days, min_requests, min_share, excluded_clients, excluded_operations, style } =
            row.map(Rules::from).unwrap_or_default();
        let Style { levels, ignore } = style;
        Self {
            environment,
            window_days,
            min_requests,
            min_share_percent: min_share,
            excluded_clients,
            excluded_operations,
            lint_levels: levels.into_iter().map(|(rule, level)| LintRuleLevel { rule, level }).collect(),
            lint_ignored: ignore,
            version,
            updated_at,
        }
    }
}

/// Queries about rules.
#[derive(Default)]
pub(crate) struct RulesQuery;

#[Object]
impl RulesQuery {
    /// How changes are judged in an environment; as usual, where nobody has set anything.
    async fn schema_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The environment.")] environment: String,
    ) -> Result<SchemaRules, Error<RulesError>> {
        let row = rules::get(ctx.session(), &environment).await?;
        Ok(SchemaRules::of(environment, row))
    }
}

/// Mutations of rules.
#[derive(Default)]
pub(crate) struct RulesMutation;

#[Object]
impl RulesMutation {
    /// Says how changes are judged in an environment: whose use counts, how much of it and within which time, and how strict
    /// the rules of style are.
    async fn set_schema_rules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "For which environment, and what changes.")] input: SetSchemaRulesInput,
    ) -> Result<SetSchemaRulesPayload, Error<RulesError>> {
        let SetSchemaRulesInput { environment, window_days, min_requests, min_share_percent, .. } = input;
        let SetSchemaRulesInput { excluded_clients, excluded_operations, lint_levels, .. } = input;
        let SetSchemaRulesInput { lint_ignored, expected_version, .. } = input;
        let change = |old: Rules| {
            let levels = lint_levels.map(|levels| {
                levels.into_iter().map(|one| (one.rule, one.level)).collect::<BTreeMap<_, _>>()
            });
            let style = Style {
                levels: levels.unwrap_or(old.style.levels),
                ignore: lint_ignored.unwrap_or(old.style.ignore),
            };
            Rules {
                window_days: window_days.unwrap_or(old.window_days),
                min_requests: min_requests.unwrap_or(old.min_requests),
                min_share: min_share_percent.unwrap_or(old.min_share),
                excluded_clients: excluded_clients.unwrap_or(old.excluded_clients),
                excluded_operations: excluded_operations.unwrap_or(old.excluded_operations),
                style,
            }
        };
        let row = rules::set(ctx.session(), &environment, expected_version, change).await?;
        Ok(SetSchemaRulesPayload { rules: SchemaRules::of(environment, Some(row)) })
    }
}
