//! What was found about schemas, for people, programs and CI.

mod github;
mod json;
mod junit;
mod sarif;
mod text;

use std::collections::BTreeMap;
use std::path::PathBuf;

use pulse_schema::{Criticality, Diagnostic, LintFinding, LintLevel, Place, Severity, Verdict};

use crate::cli::ReportFormat;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

/// One thing found.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// The word for it in this command, such as `breaking`.
    pub(super) word: &'static str,
    pub(super) code: &'static str,
    /// What the code means.
    pub(super) meaning: &'static str,
    pub(super) coordinate: String,
    pub(super) message: String,
    pub(super) help: String,
    /// Operations that it concerns.
    pub(super) operations: Vec<String>,
    pub(super) locations: Vec<Location>,
}

/// A place in a file; line 0 is the file as a whole.
#[derive(Debug, Clone)]
pub(super) struct Location {
    pub(super) file: PathBuf,
    pub(super) line: usize,
    pub(super) column: usize,
}

/// Which file a subgraph's schema is in.
pub(super) type Files = BTreeMap<String, PathBuf>;

/// All that a command found.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    /// What a command made, in formats that have a place for it.
    pub(super) supergraph: Option<String>,
}

impl Report {
    pub(super) fn count(&self, level: Level) -> usize {
        self.findings.iter().filter(|finding| finding.level == level).count()
    }

    pub(super) fn print(&self, format: ReportFormat) -> String {
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
    pub(super) fn of_diagnostic(diagnostic: &Diagnostic, files: &Files) -> Self {
        let (level, word) = match diagnostic.severity {
            Severity::Error => (Level::Error, "error"),
            Severity::Hint => (Level::Note, "hint"),
        };
        Self {
            level,
            word,
            code: diagnostic.code.as_str(),
            meaning: diagnostic.code.meaning(),
            coordinate: diagnostic.coordinate.clone(),
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone(),
            operations: Vec::new(),
            locations: diagnostic.places.iter().filter_map(|place| location(place, files)).collect(),
        }
    }

    pub(super) fn of_verdict(verdict: &Verdict, file: &std::path::Path) -> Self {
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
            code: change.code.as_str(),
            meaning: change.code.meaning(),
            coordinate: change.coordinate.clone(),
            message: change.message.clone(),
            help,
            operations: verdict.operations.clone(),
            locations: vec![Location { file: file.to_owned(), line: 0, column: 0 }],
        }
    }

    pub(super) fn of_lint(finding: &LintFinding, files: &Files) -> Self {
        let (level, word) = match finding.level {
            LintLevel::Error => (Level::Error, "error"),
            LintLevel::Warning | LintLevel::Off => (Level::Warning, "warning"),
        };
        Self {
            level,
            word,
            code: finding.rule.as_str(),
            meaning: finding.rule.meaning(),
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
