//! How changes are judged in an environment, as it is stored.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use pulse_schema::{LintConfig, LintLevel, LintRule};
use pulse_types::SchemaEnvironmentId;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use sqlx::types::Json;

/// How strict a rule of style is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, async_graphql::Enum)]
#[graphql(name = "SchemaLintLevel")]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Level {
    /// A schema that breaks it must not be published.
    Error,
    /// The author should know.
    Warning,
    /// It is not applied.
    Off,
}

/// Rules of style, as far as they are not as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Style {
    pub(crate) levels: BTreeMap<String, Level>,
    pub(crate) ignore: Vec<String>,
}

/// How changes are judged.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rules {
    pub(crate) window_days: i32,
    pub(crate) min_requests: i64,
    /// In per cent.
    pub(crate) min_share: f64,
    pub(crate) excluded_clients: Vec<String>,
    pub(crate) excluded_operations: Vec<String>,
    pub(crate) style: Style,
}

/// A row of `registry.environments`.
#[derive(Debug, Clone, FromRow)]
pub(crate) struct RulesRow {
    pub(crate) id: SchemaEnvironmentId,
    pub(crate) window_days: i32,
    pub(crate) min_requests: i64,
    pub(crate) min_share: f64,
    pub(crate) excluded_clients: Vec<String>,
    pub(crate) excluded_operations: Vec<String>,
    pub(crate) lint: Json<Style>,
    pub(crate) version: i64,
    pub(crate) updated_at: DateTime<Utc>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            window_days: 30,
            min_requests: 1,
            min_share: 0.0,
            excluded_clients: Vec::new(),
            excluded_operations: Vec::new(),
            style: Style::default(),
        }
    }
}

impl From<RulesRow> for Rules {
    fn from(row: RulesRow) -> Self {
        let RulesRow { window_days, min_requests, min_share, .. } = row;
        let RulesRow { excluded_clients, excluded_operations, lint, .. } = row;
        Self { window_days, min_requests, min_share, excluded_clients, excluded_operations, style: lint.0 }
    }
}

impl Style {
    /// The rules of style as they are applied. What is removed without having been deprecated is worth a look alone: who uses it
    /// is known here.
    pub(crate) fn config(&self) -> LintConfig {
        let usual = (LintRule::RemovalWithoutDeprecation, LintLevel::Warning);
        let set = self.levels.iter().filter_map(|(name, level)| Some((rule(name)?, (*level).into())));
        let rules = std::iter::once(usual).chain(set).collect();
        LintConfig { rules, ignore: self.ignore.clone() }
    }
}

impl From<Level> for LintLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warning => Self::Warning,
            Level::Off => Self::Off,
        }
    }
}

/// The rule of that name.
pub(crate) fn rule(name: &str) -> Option<LintRule> {
    LintRule::ALL.iter().copied().find(|rule| rule.as_str() == name)
}
