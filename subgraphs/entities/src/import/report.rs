//! What an import did.

use std::fmt;

use super::batch::Done;
use crate::saved::Outcome;

/// How many bad lines a report names.
const MAX_NAMED: usize = 100;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Lines read.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// What was done with entities.
    pub entities: Counts,
    /// What was done with relationships.
    pub relationships: Counts,
    /// Entity types that did not exist and were created open.
    pub types_created: u64,
    /// The first bad lines, which were skipped.
    pub bad_lines: Vec<BadLine>,
    /// How many lines were bad in all.
    pub bad_line_count: u64,
}

/// How many of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Did not exist.
    pub created: u64,
    /// Were different.
    pub updated: u64,
    /// Were so already.
    pub unchanged: u64,
}

/// A line that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Lines read.
    pub lines: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Lines that were bad.
    pub bad_lines: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} created, {} updated, {} unchanged", self.created, self.updated, self.unchanged)
    }
}

/// One sentence for people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, entities, relationships, bad_line_count, .. } = self;
        write!(
            f,
            "{lines} lines: entities {entities}; relationships {relationships}; {bad_line_count} bad lines"
        )
    }
}

impl Counts {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Updated => self.updated += 1,
            Outcome::Unchanged => self.unchanged += 1,
        }
    }
}

impl Report {
    pub(super) fn add(&mut self, done: &Done) {
        done.entities.iter().for_each(|outcome| self.entities.add(*outcome));
        done.relationships.iter().for_each(|outcome| self.relationships.add(*outcome));
        self.types_created += done.types_created;
    }

    pub(super) fn bad(&mut self, line: u64, reason: String) {
        self.bad_line_count += 1;
        if self.bad_lines.len() < MAX_NAMED {
            self.bad_lines.push(BadLine { line, reason });
        }
    }

    pub(super) fn progress(&self) -> Progress {
        Progress { lines: self.lines, bytes: self.bytes, bad_lines: self.bad_line_count }
    }
}
