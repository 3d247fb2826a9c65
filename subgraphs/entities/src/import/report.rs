//! What an import did.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::batch::Done;
use super::options::Place;
use crate::saved::Outcome;

/// How many bad lines a report names.
const MAX_NAMED: usize = 100;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Whether it has gone on where the same import had broken off; what that one did is counted here too.
    #[serde(skip)]
    pub has_gone_on: bool,
}

/// How many of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Did not exist.
    pub created: u64,
    /// Were different.
    pub updated: u64,
    /// Were so already.
    pub unchanged: u64,
    /// Were different, and stay so.
    pub kept: u64,
}

/// A record that was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadLine {
    /// In which of the files, from 0.
    pub file: usize,
    /// The line that it begins on, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Lines read; they begin again where files are read for relationships.
    pub lines: u64,
    /// Bytes read, of both times that files are read.
    pub bytes: u64,
    /// Lines that were bad.
    pub bad_lines: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, updated, unchanged, kept } = self;
        write!(f, "{created} created, {updated} updated, {unchanged} unchanged")?;
        if *kept > 0 { write!(f, ", {kept} different and left so") } else { Ok(()) }
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
        self.entities.kept += done.entities_kept;
        self.relationships.kept += done.relationships_kept;
        self.types_created += done.types_created;
        for (place, reason) in &done.bad {
            self.bad(*place, reason.clone());
        }
    }

    pub(super) fn bad(&mut self, place: Place, reason: String) {
        self.bad_line_count += 1;
        if self.bad_lines.len() < MAX_NAMED {
            self.bad_lines.push(BadLine { file: place.file, line: place.line, reason });
        }
    }

    /// How many entities and relationships are not as they were before.
    pub(super) const fn changed(&self) -> u64 {
        let Self { entities, relationships, .. } = self;
        entities.created + entities.updated + relationships.created + relationships.updated
    }
}
