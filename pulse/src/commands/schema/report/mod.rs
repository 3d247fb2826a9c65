//! What was found about schemas, for people, programs and CI.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use pulse_schema::{Criticality, Diagnostic, LintFinding, LintLevel, Place, Severity, Verdict};

use crate::cli::ReportFormat;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands::schema) enum Level {
    Error,
    Warning,
    Note,
}

/// One thing found.
#[derive(Debug, Clone)]
pub(in crate::commands::schema) struct Finding {
    pub(in crate::commands::schema) level: Level,
    /// The word for it in this command, such as `breaking`.
    pub(in crate::commands::schema) word: &'static str,
    pub(in crate::commands::schema) code: Cow<'static, str>,
    /// What the code means.
    pub(in crate::commands::schema) meaning: Cow<'static, str>,
    pub(in crate::commands::schema) coordinate: String,
    pub(in crate::commands::schema) message: String,
    pub(in crate::commands::schema) help: String,
    /// Operations that it concerns.
    pub(in crate::commands::schema) operations: Vec<String>,
    pub(in crate::commands::schema) locations: Vec<Location>,
}

/// A place in a file; line 0 is the file as a whole.
#[derive(Debug, Clone)]
pub(in crate::commands::schema) struct Location {
    pub(in crate::commands::schema) file: PathBuf,
    pub(in crate::commands::schema) line: usize,
    pub(in crate::commands::schema) column: usize,
}

/// Which file a subgraph's schema is in.
pub(in crate::commands::schema) type Files = BTreeMap<String, PathBuf>;

/// All that a command found.
#[derive(Debug, Default)]
pub(in crate::commands::schema) struct Report {
    pub(in crate::commands::schema) findings: Vec<Finding>,
    /// What a command made, in formats that have a place for it.
    pub(in crate::commands::schema) supergraph: Option<String>,
}

impl Report {
    pub(in crate::commands::schema) fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    pub(in crate::commands::schema) fn print(&self, format: ReportFormat) -> String {
        match format {
            ReportFormat::Text => text::print(self),
            ReportFormat::Json => json::print(self),
            ReportFormat::Sarif => sarif::print(self),
            ReportFormat::Junit => junit::print(self),
            ReportFormat::Github => github::print(self),
        }
    }
}

impl Finding {
    pub(in crate::commands::schema) fn of_diagnostic(diagnostic: &Diagnostic, files: &Files) -> Self {
        let (level, word) = match diagnostic.severity {
            Severity::Error => (Level::Error, "error"),
            Severity::Hint => (Level::Note, "hint"),
        };
        Self {
            level,
            word,
            code: Cow::Borrowed(diagnostic.code.as_str()),
            meaning: Cow::Borrowed(diagnostic.code.meaning()),
            coordinate: diagnostic.coordinate.clone(),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            operations: Vec::new(),
            locations: diagnostic.places.iter().filter_map(|place| location(place, files)).collect(),
        }
    }

    pub(in crate::commands::schema) fn of_verdict(verdict: &Verdict, file: &std::path::Path) -> Self {
        let level = match verdict.criticality {
            Criticality::Breaking => Level::Error,
            Criticality::Dangerous => Level::Warning,
            Criticality::Safe => Level::Note,
        };
        let change = &verdict.change;
        let help = match level {
            Level::Error => "keep what is there, deprecate it, and remove it when nobody uses it".to_owned(),
            _ => String::new(),
        };
        Self {
            level,
            word: verdict.criticality.as_str(),
            code: Cow::Borrowed(change.code.as_str()),
            meaning: Cow::Borrowed(change.code.meaning()),
            coordinate: change.coordinate.clone(),
            message: change.message.clone(),
            help,
            operations: verdict.operations.clone(),
            locations: vec![Location { file: file.to_owned(), line: 0, column: 0 }],
        }
    }

    pub(in crate::commands::schema) fn of_lint(finding: &LintFinding, files: &Files) -> Self {
        let (level, word) = match finding.level {
            LintLevel::Error => (Level::Error, "error"),
            LintLevel::Warning | LintLevel::Off => (Level::Warning, "warning"),
        };
        Self {
            level,
            word,
            code: Cow::Borrowed(finding.rule.as_str()),
            meaning: Cow::Borrowed(finding.rule.meaning()),
            coordinate: finding.coordinate.clone(),
            message: finding.message.clone(),
            help: finding.help.clone(),
            operations: Vec::new(),
            locations: finding.place.iter().filter_map(|place| location(place, files)).collect(),
        }
    }
}

fn location(place: &Place, files: &Files) -> Option<Location> {
    let file = files.get(&place.subgraph)?.clone();
    Some(Location { file, line: place.line, column: place.column })
}
