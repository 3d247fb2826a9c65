//! Style of a schema: names, descriptions, deprecation before removal.

mod rules;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use self::rules::LintRule;
use crate::{
    SubgraphSdl,
    diagnostic::{Diagnostic, Place},
    subgraph::{Subgraph, parse},
};

/// What a finding of a rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LintLevel {
    /// The schema must not be published so.
    Error,
    /// The author should know.
    Warning,
    /// The rule is not applied.
    Off,
}

/// Which rules are applied, and how strictly.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LintConfig {
    /// Levels that differ from those that the rules have by themselves.
    #[serde(default)]
    pub rules: BTreeMap<LintRule, LintLevel>,
    /// Coordinates that are not looked at; `Legacy.*` means a type and all that is in it.
    #[serde(default)]
    pub ignore: Vec<String>,
}

impl LintConfig {
    /// How strict a rule is.
    pub fn level(&self, rule: LintRule) -> LintLevel {
        self.rules.get(&rule).copied().unwrap_or(rule.default_level())
    }

    fn ignores(&self, coordinate: &str) -> bool {
        self.ignore.iter().any(|pattern| match pattern.strip_suffix(".*") {
            Some(ty) => {
                coordinate == ty || coordinate.strip_prefix(ty).is_some_and(|rest| rest.starts_with('.'))
            }
            None => pattern == coordinate,
        })
    }
}

/// Something that a rule does not like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LintFinding {
    /// The rule.
    pub rule: LintRule,
    /// How bad it is.
    pub level: LintLevel,
    /// What it concerns.
    pub coordinate: String,
    /// Where it stands; none for what is not there any more.
    pub place: Option<Place>,
    /// What is wrong.
    pub message: String,
    /// A way out.
    pub help: String,
}

/// Looks at the style of a subgraph's schema, and at what has gone since it was `previous`.
pub fn lint(
    subgraph: &SubgraphSdl,
    previous: Option<&str>,
    config: &LintConfig,
) -> Result<Vec<LintFinding>, Vec<Diagnostic>> {
    let schema = read(subgraph)?;
    let mut found = rules::of_schema(&schema);
    if let Some(previous) = previous {
        let previous = SubgraphSdl { sdl: previous.to_owned(), ..subgraph.clone() };
        found.extend(rules::of_removals(&read(&previous)?, &schema));
    }
    let mut findings: Vec<LintFinding> = found
        .into_iter()
        .map(|found| LintFinding {
            level: config.level(found.rule),
            rule: found.rule,
            place: found.pos.map(|pos| Place {
                subgraph: subgraph.name.clone(),
                line: pos.line,
                column: pos.column,
            }),
            coordinate: found.coordinate,
            message: found.message,
            help: found.help,
        })
        .filter(|finding| finding.level != LintLevel::Off && !config.ignores(&finding.coordinate))
        .collect();
    findings.sort_by(|a, b| (a.level, &a.coordinate, a.rule).cmp(&(b.level, &b.coordinate, b.rule)));
    Ok(findings)
}

fn read(subgraph: &SubgraphSdl) -> Result<Subgraph, Vec<Diagnostic>> {
    let mut report = Vec::new();
    match parse::parse(subgraph, String::new(), &mut report) {
        Some(schema) if report.is_empty() => Ok(schema),
        _ => Err(report),
    }
}
