//! `cargo xtask tidy`: what the style asks for and a machine can check.

mod crates;
mod documents;
mod layout;
mod length;
mod sources;
mod tree;

use std::fmt;
use std::process::ExitCode;

use tree::Tree;

/// One place that breaks one rule.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    path: String,
    line: Option<usize>,
    message: String,
}

impl Finding {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, message: message.into() }
    }

    fn at(path: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::new(path, message) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}: {}", self.path, self.message),
            None => write!(formatter, "{}: {}", self.path, self.message),
        }
    }
}

/// A rule: looks at everything, returns what breaks it.
type Check = fn(&Tree) -> Vec<Finding>;

const CHECKS: [Check; 11] = [
    crates::directions,
    crates::inheritance,
    crates::unused_dependencies,
    crates::descriptions,
    documents::links,
    layout::migration_pairs,
    layout::module_names,
    length::files,
    sources::banned_text,
    sources::banned_in_subgraphs,
    sources::sleeps_in_tests,
];

/// Checks the whole workspace and prints what is wrong.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let tree = Tree::read()?;
    let findings: Vec<Finding> = CHECKS.iter().flat_map(|check| check(&tree)).collect();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("tidy: {} files, {} crates, nothing to say", tree.files.len(), tree.packages.len());
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} findings", findings.len());
    Ok(ExitCode::FAILURE)
}
